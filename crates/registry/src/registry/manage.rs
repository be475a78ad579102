//! The management of a repository: listing all tags, and removing images.

use http::Method;
use http::header::LINK;
use serde::Deserialize;

use super::RefusedAction;
use super::access::Access;
use super::answer::{header, is_web_page, read_all};
use super::client::operation;
use super::remote::{Ask, Target};
use super::{Client, Error};
use crate::oci::Reference;

/// The number of tags per request.
const PAGE: usize = 1000;
/// The most pages and tags that are read; real repositories have fewer.
const PAGES: usize = 10_000;
const TAGS: usize = 2_000_000;

#[derive(Default, Deserialize)]
struct Page {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

impl Client {
    /// Returns all tags of a repository, in the registry's order. The reference's tag and digest
    /// are ignored.
    ///
    /// # Errors
    /// As [`Client::manifest`]; [`Error::TooLarge`] for an endless list.
    pub async fn all_tags(&self, of: &Reference) -> Result<Vec<String>, Error> {
        let mut tags = Vec::new();
        let mut path = format!("{}/tags/list?n={PAGE}", of.path());
        for _ in 0..PAGES {
            let ask = Ask::new(Method::GET, Target::Path(path.clone()), Access::pull(of));
            let answer = self.remote.send(&ask).await?;
            let operation = operation(RefusedAction::Pull, of, "the tags", &ask.access);
            let answer = operation.succeeded(answer).await?;
            if is_web_page(&answer) {
                return Err(operation.not_a_registry(&answer));
            }
            let next = header(&answer, LINK.as_str()).and_then(|link| next_page(link, of));
            let bytes = read_all(of, answer).await?;
            let page: Page = serde_json::from_slice(&bytes).unwrap_or_default();
            tags.extend(page.tags.unwrap_or_default());
            match next {
                Some(next) if next != path && tags.len() < TAGS => path = next,
                Some(next) if next != path => break,
                _ => return Ok(tags),
            }
        }
        Err(Error::TooLarge {
            of: format!("the list of tags of {}", of.name()),
            limit: TAGS as u64,
        })
    }

    /// Removes a manifest by its digest, or a tag if the reference has no digest. Registries may
    /// support only one of them, or neither.
    ///
    /// # Errors
    /// [`Error::Refused`] if it does not exist, or the registry does not remove it.
    pub async fn delete(&self, of: &Reference) -> Result<(), Error> {
        let name = match of.digest() {
            Some(digest) => digest.as_str(),
            None => of.tag().unwrap_or("latest"),
        };
        let path = format!("{}/manifests/{name}", of.path());
        let ask = Ask::new(Method::DELETE, Target::Path(path), Access::delete(of));
        let answer = self.remote.send(&ask).await?;
        let operation = operation(RefusedAction::Remove, of, name, &ask.access);
        let answer = operation.succeeded(answer).await?;
        match is_web_page(&answer) {
            true => Err(operation.not_a_registry(&answer)),
            false => Ok(()),
        }
    }
}

/// Returns the path of the next page from a header `<URL>; rel="next"`. Only its query is used, so
/// the list stays in the same registry and repository.
fn next_page(link: &str, of: &Reference) -> Option<String> {
    let target = link.trim_start().strip_prefix('<')?;
    let (url, parameters) = target.split_once('>')?;
    let is_next = parameters.contains("rel=\"next\"") || parameters.contains("rel=next");
    let (_, query) = url.split_once('?')?;
    let query = query.split('#').next()?;
    is_next.then(|| format!("{}/tags/list?{query}", of.path()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_of_the_same_repository() {
        let of = Reference::parse("r.example/me/app").unwrap();
        let next = |link: &str| next_page(link, &of);
        let expected = Some("me/app/tags/list?last=b&n=2".to_owned());
        assert_eq!(
            next("</v2/me/app/tags/list?last=b&n=2>; rel=\"next\""),
            expected
        );
        assert_eq!(
            next("<https://evil.example/v2/x/tags/list?last=b&n=2>; rel=next"),
            expected
        );
        assert_eq!(next("</v2/me/app/tags/list?last=b>; rel=\"prev\""), None);
        assert_eq!(next("nothing"), None);
    }
}
