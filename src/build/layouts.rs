//! OCI layouts on this machine that a build reads or writes: contexts.

use super::BuildRequest;
use crate::session::ContentStores;

/// The layouts that named contexts are read from.
pub(super) fn contexts(request: &BuildRequest) -> ContentStores {
    let layouts = request.oci_layouts.iter();
    layouts.fold(ContentStores::new(), |stores, (id, folder)| {
        stores.with(format!("oci:{id}"), folder)
    })
}
