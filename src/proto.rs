//! The generated protobuf code; nothing else names the generator.
