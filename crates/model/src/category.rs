//! The taxonomy: the seed's eight root-cause categories and those that public incidents add.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What kind of failure it is; one vocabulary for incidents, patterns and findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    DataLoss,
    Disk,
    Docker,
    Auth,
    Hallucination,
    ConfigDrift,
    Database,
    Deploy,
    Permission,
    WorkLoss,
    Process,
    Cost,
    Evidence,
}

impl Category {
    /// Every category, in the order in which pages list them.
    pub const ALL: [Category; 13] = [
        Category::DataLoss,
        Category::Disk,
        Category::Docker,
        Category::Auth,
        Category::Hallucination,
        Category::ConfigDrift,
        Category::Database,
        Category::Deploy,
        Category::Permission,
        Category::WorkLoss,
        Category::Process,
        Category::Cost,
        Category::Evidence,
    ];

    /// The word as it stands in files and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Category::DataLoss => "data-loss",
            Category::Disk => "disk",
            Category::Docker => "docker",
            Category::Auth => "auth",
            Category::Hallucination => "hallucination",
            Category::ConfigDrift => "config-drift",
            Category::Database => "database",
            Category::Deploy => "deploy",
            Category::Permission => "permission",
            Category::WorkLoss => "work-loss",
            Category::Process => "process",
            Category::Cost => "cost",
            Category::Evidence => "evidence",
        }
    }

    /// The category of that name, or `None`.
    pub fn parse(word: &str) -> Option<Category> {
        Category::ALL.into_iter().find(|c| c.as_str() == word)
    }

    /// What it covers, in one sentence for the taxonomy page.
    pub fn meaning(self) -> &'static str {
        match self {
            Category::DataLoss => "Data of users or services is gone, or its backup is.",
            Category::Disk => "A filesystem filled up, or is about to.",
            Category::Docker => "Containers, networks, images or the engine are not as the files say.",
            Category::Auth => "Somebody cannot get in, or a credential got out.",
            Category::Hallucination => "An agent reported what is not so.",
            Category::ConfigDrift => "Two places that should say the same do not.",
            Category::Database => "Schema, migration or stored values broke the application.",
            Category::Deploy => "What was shipped is not what was meant.",
            Category::Permission => "Files or processes belong to the wrong user or have the wrong mode.",
            Category::WorkLoss => "Uncommitted, ignored or unpushed work was lost.",
            Category::Process => "A service or job stopped, or ran when it should not.",
            Category::Cost => "Money or quota was spent for nothing.",
            Category::Evidence => "What could have explained a failure was destroyed or never kept.",
        }
    }
}

impl std::fmt::Display for Category {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// How bad: three words, worst first. A status such as "resolved" is never a severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    Critical,
    Major,
    Minor,
}

impl Severity {
    /// All severities, worst first.
    pub const ALL: [Severity; 3] = [Severity::Critical, Severity::Major, Severity::Minor];

    /// The word as it stands in files and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Critical => "critical",
            Severity::Major => "major",
            Severity::Minor => "minor",
        }
    }

    /// The severity of that name, in any case, or `None`.
    pub fn parse(word: &str) -> Option<Severity> {
        let word = word.trim().to_ascii_lowercase();
        Severity::ALL.into_iter().find(|s| s.as_str() == word)
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}
