//! The six steps of an investigation, as the method page explains them.

/// One step of the method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepText {
    pub title: &'static str,
    /// What is done and why, in one or two sentences.
    pub why: &'static str,
    /// The verbs that do it.
    pub command: &'static str,
}

/// The six steps in their order.
pub const STEPS: [StepText; 6] = [
    StepText {
        title: "Establish what is broken",
        why: "Ask the thing itself, as its user would: the exact status, the exact error, and since when. A symptom in somebody's words is where the search starts, not what it found.",
        command: "coroner investigate https://shop.example.org/api/session",
    },
    StepText {
        title: "Verify state before claiming",
        why: "Who am I, how full is the disk, which engine answers, what is really mounted. A sentence about state is worth what the look behind it is worth.",
        command: "coroner check",
    },
    StepText {
        title: "Check what agents reported",
        why: "A file, a line, a variable that somebody names either exists or does not. It is looked up before anything is built on it.",
        command: "coroner investigate",
    },
    StepText {
        title: "Read the logs for the cause",
        why: "A line in a log is a signature: it makes a cause likely. Only a look at the state behind it confirms the cause, and each cause has look-alikes that print the same.",
        command: "coroner investigate --log app.log",
    },
    StepText {
        title: "Test the way the user goes",
        why: "One endpoint that answers is not a journey that works. The public address is tried, through the proxy, with its redirects and cookies.",
        command: "coroner investigate https://shop.example.org/",
    },
    StepText {
        title: "Verify after the fix",
        why: "The state that proved the cause is looked at again, nothing that fails is waved through, and the lesson becomes a rule that stops the repeat.",
        command: "coroner incident learn",
    },
];
