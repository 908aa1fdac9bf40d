//! Which tensor of a damaged file is to blame: the format's own reader does not always say.

use safetensors::tensor::TensorInfo;
use serde_json::{Map, Value};

/// Bytes of the header's length at the start of a file.
const LENGTH: usize = 8;

/// The first tensor of the header whose description is unreadable, or contradicts itself or the size of the file.
pub(super) fn culprit(file: &[u8]) -> Option<String> {
    let length = u64::from_le_bytes(file.get(..LENGTH)?.try_into().ok()?);
    let end = LENGTH.checked_add(usize::try_from(length).ok()?)?;
    let header: Map<String, Value> = serde_json::from_slice(file.get(LENGTH..end)?).ok()?;
    let data = file.len() - end;
    header
        .into_iter()
        .filter(|(name, _)| name != "__metadata__")
        .find(|(_, description)| !is_sound(description, data))
        .map(|(name, _)| name)
}

fn is_sound(description: &Value, data: usize) -> bool {
    let Ok(info) = serde_json::from_value::<TensorInfo>(description.clone()) else {
        return false;
    };
    let (start, end) = info.data_offsets;
    let bits = info
        .shape
        .iter()
        .try_fold(info.dtype.bitsize(), |product, &size| {
            product.checked_mul(size)
        });
    let covered = end
        .checked_sub(start)
        .and_then(|bytes| bytes.checked_mul(8));
    end <= data && covered.is_some() && covered == bits
}
