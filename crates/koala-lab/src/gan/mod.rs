//! Parts of adversarial training: noise, losses, pictures and distances.
