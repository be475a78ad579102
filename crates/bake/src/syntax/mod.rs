//! Text to blocks and expressions, with their places: HCL and its JSON form.
