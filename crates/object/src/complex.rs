//! Complex numbers: storage. What they do stands in the `types` crate.

use crate::heap::Payload;

/// Payload of `complex` objects.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Complex {
    pub re: f64,
    pub im: f64,
}

impl Payload for Complex {
    const CONTAINER: bool = false;
}
