//! Images as data: digest, platform, reference, image config, manifest, index.
