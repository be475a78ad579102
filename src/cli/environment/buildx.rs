//! The variables that change buildx's defaults, as text: those who use them parse them.

/// Each field is the variable `BUILDX_` with the field's name.
#[derive(Debug, Clone, Default)]
pub(crate) struct BuildxDefaults {
    pub(crate) git_info: Option<String>,
    pub(crate) git_labels: Option<String>,
    pub(crate) git_check_dirty: Option<String>,
    pub(crate) no_default_attestations: Option<String>,
    pub(crate) no_default_load: Option<String>,
    pub(crate) no_default_oci_artifact: Option<String>,
    pub(crate) metadata_provenance: Option<String>,
    pub(crate) metadata_warnings: Option<String>,
    pub(crate) default_policy: Option<String>,
}

impl BuildxDefaults {
    pub(super) fn from_variables(text: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            git_info: text("BUILDX_GIT_INFO"),
            git_labels: text("BUILDX_GIT_LABELS"),
            git_check_dirty: text("BUILDX_GIT_CHECK_DIRTY"),
            no_default_attestations: text("BUILDX_NO_DEFAULT_ATTESTATIONS"),
            no_default_load: text("BUILDX_NO_DEFAULT_LOAD"),
            no_default_oci_artifact: text("BUILDX_NO_DEFAULT_OCI_ARTIFACT"),
            metadata_provenance: text("BUILDX_METADATA_PROVENANCE"),
            metadata_warnings: text("BUILDX_METADATA_WARNINGS"),
            default_policy: text("BUILDX_DEFAULT_POLICY"),
        }
    }
}
