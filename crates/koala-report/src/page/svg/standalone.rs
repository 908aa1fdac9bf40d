//! A drawing as a file of its own.

use askama::Template;

use super::Scene;
use crate::Error;

/// How the parts of drawings look; the page has it too.
pub(in crate::page) const STYLE: &str = include_str!("../../../assets/scene.css");

/// The text of a file.
///
/// # Errors
///
/// [`Error::Page`] if it cannot be put together.
pub(in crate::page) fn standalone(mut scene: Scene) -> Result<String, Error> {
    scene.style = STYLE.to_owned();
    let text = scene.render();
    text.map_err(|fault| Error::Page(fault.to_string()))
}
