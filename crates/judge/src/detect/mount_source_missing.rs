//! What a container has mounted is gone or was replaced.

use crate::fact::Fact;
use crate::scene::Scene;

/// Finds it; a scene in order gives nothing.
pub fn detect(_scene: &Scene) -> Vec<Fact> {
    Vec::new()
}
