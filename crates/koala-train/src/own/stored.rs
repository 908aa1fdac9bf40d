//! How configurations store what may be a user's own.

/// Serialisation of an enum with a variant `Own` that no file can name: it tells itself, the other variants are as the enum's derived
/// code (`remote = "Self"`) has them.
macro_rules! stored_beside_own {
    ($spec:ty) => {
        impl serde::Serialize for $spec {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    Self::Own(own) => serde::Serialize::serialize(own, serializer),
                    _ => Self::serialize(self, serializer),
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $spec {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::deserialize(deserializer)
            }
        }
    };
}

pub(crate) use stored_beside_own;
