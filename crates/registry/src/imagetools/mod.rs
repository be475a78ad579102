//! Multi-platform images in registries and layouts: inspects them with their attestations, and
//! creates new ones from them.
//!
//! The output is that of `docker buildx imagetools`, and templates have the same fields.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use solvekit_registry::imagetools::{Inspection, Location};
//! use solvekit_registry::registry::{Client, ClientOptions, Credentials};
//! use solvekit_core::template::{Json, Template};
//!
//! let client = Client::new(Credentials::none().into(), ClientOptions::default());
//! let image = Inspection::of(client, &Location::parse("alpine")?).await?;
//! let template = Template::parse("{{range .Manifest.Manifests}}{{println .Digest}}{{end}}")?;
//! print!("{}", template.render(&image.value(&template).await?, Json::Indented)?);
//! # Ok(())
//! # }
//! ```

mod annotation;
mod attestation;
mod combine;
mod copy;
mod create;
mod destination;
mod error;
mod inspect;
mod load;
mod location;
mod problem;
mod shape;
mod source;
mod text;

pub use annotation::{Annotation, Place};
pub(crate) use copy::copy;
pub use create::{CreateRequest, Created, create};
pub use error::Error;
pub use inspect::Inspection;
pub(crate) use load::too_much;
pub use location::Location;
pub use problem::{AnnotationProblem, ContentProblem, SourceProblem};
pub use source::{Given, Source};

#[cfg(test)]
mod fan_out_tests;
