//! Records when builders were last used.

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Error, Locked, Store, check_name, files};

pub(super) const FOLDER: &str = "activity";

impl Store {
    /// Returns when a builder was last used, if known.
    pub fn last_activity(&self, name: &str) -> Option<OffsetDateTime> {
        let path = self.folder().join(FOLDER).join(check_name(name).ok()?);
        let bytes = files::read(&path).ok()??;
        OffsetDateTime::parse(std::str::from_utf8(&bytes).ok()?, &Rfc3339).ok()
    }

    /// Records that a builder is used now.
    ///
    /// # Errors
    /// [`Error::InvalidName`] and [`Error::File`].
    pub fn touch(&self, name: &str) -> Result<(), Error> {
        let now = OffsetDateTime::now_utc().replace_nanosecond(0).ok();
        let Some(text) = now.and_then(|now| now.format(&Rfc3339).ok()) else {
            return Ok(());
        };
        let path = self.folder().join(FOLDER).join(check_name(name)?);
        files::make_folder(&self.folder().join(FOLDER))?;
        files::write(self.folder(), &path, text.as_bytes(), 0o600)
    }
}

impl Locked {
    pub(super) fn forget_activity(&self, name: &str) -> Result<(), Error> {
        files::remove(&self.folder().join(FOLDER).join(check_name(name)?))
    }
}
