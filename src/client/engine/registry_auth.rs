//! `X-Registry-Auth`: the user's registry credentials in a call to a Docker Engine.

use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use serde_json::json;

use crate::oci::Reference;
use crate::registry::Credentials;

/// Returns the header's value for an image: base64 of a JSON object. Returns `None` without
/// credentials for the image's registry, or if they cannot be read.
pub(crate) async fn registry_auth(credentials: &Credentials, image: &Reference) -> Option<String> {
    let known = credentials.get_for(image.domain(), image.path()).await;
    let known = known.ok().filter(|known| !known.is_anonymous())?;
    let object = match known.identity_token.expose() {
        "" => json!({
            "username": known.username,
            "password": known.password.expose(),
            "serveraddress": image.domain(),
        }),
        token => json!({"identitytoken": token, "serveraddress": image.domain()}),
    };
    Some(URL_SAFE.encode(object.to_string()))
}
