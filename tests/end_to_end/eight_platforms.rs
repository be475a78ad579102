//! The main job: one Dockerfile, eight platforms, one index under two tags; over every transport.
