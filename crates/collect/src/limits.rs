//! Bounds on everything that is read, by name.

/// How much is read at most. Whoever hits a bound says so in the document
/// (`bytes_left_out`) or as [`coroner_model::CouldNotLook`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Milliseconds that one probe may take.
    pub probe_ms_max: u64,
    /// Bytes of one ordinary file; its end is left out.
    pub file_bytes_max: u64,
    /// Bytes of one JSON document, which cannot be cut.
    pub json_bytes_max: u64,
    /// Bytes of one log; its beginning is left out.
    pub log_bytes_max: u64,
    /// Bytes of all logs or transcripts of one answer.
    pub answer_bytes_max: u64,
    /// Entries of a casefile, or of one walk over the host.
    pub entries_max: usize,
    /// Bytes that a casefile may unpack to.
    pub casefile_bytes_max: u64,
    /// Bytes read at opening, to learn which values are secrets.
    pub learn_bytes_max: u64,
    /// Levels below the project's root that are looked through for them on a live host.
    pub learn_depth_max: usize,
    /// Paths in one listing of files.
    pub listing_paths_max: usize,
    /// Levels that a walk over the host descends.
    pub walk_depth_max: usize,
    /// Commits in one answer.
    pub commits_max: usize,
    /// Bytes of one HTTP body.
    pub http_body_bytes_max: u64,
    /// Redirects that are followed.
    pub http_hops_max: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        const KIB: u64 = 1024;
        const MIB: u64 = 1024 * KIB;
        Limits {
            probe_ms_max: 10_000,
            file_bytes_max: 4 * MIB,
            json_bytes_max: 64 * MIB,
            log_bytes_max: 64 * MIB,
            answer_bytes_max: 256 * MIB,
            entries_max: 200_000,
            casefile_bytes_max: 4096 * MIB,
            learn_bytes_max: 64 * MIB,
            learn_depth_max: 5,
            listing_paths_max: 20_000,
            walk_depth_max: 12,
            commits_max: 500,
            http_body_bytes_max: 64 * KIB,
            http_hops_max: 20,
        }
    }
}

impl Limits {
    /// Bounds for a look before a command runs, while somebody waits for each answer.
    pub fn before_a_command() -> Limits {
        const MIB: u64 = 1024 * 1024;
        Limits {
            probe_ms_max: 3_000,
            file_bytes_max: MIB,
            entries_max: 50_000,
            learn_bytes_max: MIB,
            learn_depth_max: 1,
            listing_paths_max: 2_000,
            ..Limits::default()
        }
    }
}
