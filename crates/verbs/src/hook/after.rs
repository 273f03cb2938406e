//! A call has run: was it one that had been denied?

use coroner_model::permission::PermissionRequest;

use super::HookReply;
use crate::guard::Guard;

/// Nothing is said to the model, which cannot mend its host; the next session and `coroner doctor` tell the person.
pub(super) fn reply(guard: &Guard, request: PermissionRequest) -> HookReply {
    guard.has_run(request);
    HookReply::default()
}
