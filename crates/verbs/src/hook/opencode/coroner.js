// Coroner for OpenCode: asks `coroner hook --agent opencode` before a tool runs, and throws
// when the answer is no allow, or when there is no answer. Tells a session the lessons of its project.
import { spawn } from "node:child_process";

const PROGRAM = process.env.CORONER_BIN || "coroner";
const TIMEOUT_MS = 10000;
const RECORDED = ["session.idle", "session.compacted"];
const SYSTEM = "experimental.chat.system.transform";

function ask(call) {
  return new Promise((resolve) => {
    const failed = (why) => resolve({ permission: "deny", reason: `Coroner gave no answer (${why}); ask the operator.` });
    const child = spawn(PROGRAM, ["hook", "--agent", "opencode"], { stdio: ["pipe", "pipe", "ignore"] });
    const timer = setTimeout(() => { child.kill(); failed("it took too long"); }, TIMEOUT_MS);
    let out = "";
    child.on("error", (error) => { clearTimeout(timer); failed(error.code || "cannot start"); });
    child.stdout.on("data", (part) => { out += part; });
    child.on("close", () => {
      clearTimeout(timer);
      try { resolve(JSON.parse(out)); } catch { failed("unreadable"); }
    });
    child.stdin.on("error", () => {});
    child.stdin.end(JSON.stringify(call));
  });
}

export const Coroner = async ({ directory, worktree }) => {
  const notes = new Map();
  const lessons = new Map();
  return {
    // A session is told once, and anew after a compaction; its system text is made for each request.
    [SYSTEM]: async (input, output) => {
      const { sessionID } = input;
      if (!lessons.has(sessionID)) lessons.set(sessionID, ask({ hook_event_name: SYSTEM, sessionID, directory, worktree }));
      const { context } = await lessons.get(sessionID);
      if (context && Array.isArray(output.system)) output.system.push(context);
    },
    event: async ({ event }) => {
      if (RECORDED.includes(event.type)) {
        // What was said until now is recorded in the background; there is no answer to wait for.
        ask({ hook_event_name: event.type, sessionID: event.properties.sessionID, directory, worktree });
      }
      if (event.type === "session.compacted") lessons.delete(event.properties.sessionID);
      if (event.type === "session.deleted") lessons.delete(event.properties.info?.id);
    },
    "tool.execute.before": async (input, output) => {
      const { tool, sessionID, callID } = input;
      const answer = await ask({ tool, args: output.args, sessionID, callID, directory, worktree });
      if (answer.permission !== "allow") throw new Error(answer.reason || "Coroner denied this call.");
      if (answer.note) notes.set(callID, answer.note);
    },
    "tool.execute.after": async (input, output) => {
      const note = notes.get(input.callID);
      notes.delete(input.callID);
      if (note && typeof output.output === "string") output.output += `\n\n${note}`;
    },
  };
};
