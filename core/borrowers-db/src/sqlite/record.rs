//! Rows as they are stored: a header with the type of each value, then the values.

use std::borrow::Cow;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// None.
    Null,
    /// A whole number.
    Integer(i64),
    /// A floating-point number.
    Real(f64),
    /// A text.
    Text(Cow<'a, str>),
    /// Bytes.
    Blob(Cow<'a, [u8]>),
}

impl Value<'_> {
    /// The text, where it is one.
    pub fn text(self) -> Option<String> {
        match self {
            Value::Text(text) => Some(text.into_owned()),
            _ => None,
        }
    }
}

/// How texts are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
}

impl Encoding {
    /// By its number in the header: 0 while nothing was written yet.
    pub(super) fn from_number(number: u32) -> Option<Self> {
        match number {
            0 | 1 => Some(Self::Utf8),
            2 => Some(Self::Utf16Le),
            3 => Some(Self::Utf16Be),
            _ => None,
        }
    }

    fn text(self, bytes: &[u8]) -> Cow<'_, str> {
        let wide = |unit: fn([u8; 2]) -> u16| {
            let units = bytes.as_chunks().0.iter().map(|pair| unit(*pair));
            char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>().into()
        };
        match self {
            Self::Utf16Le => wide(u16::from_le_bytes),
            Self::Utf16Be => wide(u16::from_be_bytes),
            // Perl's driver writes what is no Unicode text to Perl as it is: Latin-1, whatever the file should hold.
            Self::Utf8 => std::str::from_utf8(bytes)
                .map_or_else(|_| bytes.iter().copied().map(char::from).collect::<String>().into(), Cow::from),
        }
    }
}

/// The record is not as records are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// The value in this place. `None` where the record is shorter: the column was added when it stood already.
pub(super) fn value(record: &[u8], place: usize, encoding: Encoding) -> Result<Option<Value<'_>>, Malformed> {
    let (length, begin) = varint(record).ok_or(Malformed)?;
    let mut body = usize::try_from(length).map_err(|_| Malformed)?;
    let mut header = record.get(begin..body).ok_or(Malformed)?;
    for column in 0.. {
        if header.is_empty() {
            break;
        }
        let (kind, length) = varint(header).ok_or(Malformed)?;
        let end = size(kind).and_then(|size| body.checked_add(size)).ok_or(Malformed)?;
        if column == place {
            return record.get(body..end).and_then(|bytes| read(kind, bytes, encoding)).map(Some).ok_or(Malformed);
        }
        header = &header[length..];
        body = end;
    }
    Ok(None)
}

/// How many bytes a value of this type takes.
fn size(kind: u64) -> Option<usize> {
    match kind {
        0 | 8 | 9 => Some(0),
        1..=4 => usize::try_from(kind).ok(),
        5 => Some(6),
        6 | 7 => Some(8),
        10 | 11 => None,
        _ => usize::try_from((kind - 12) / 2).ok(),
    }
}

fn read(kind: u64, bytes: &[u8], encoding: Encoding) -> Option<Value<'_>> {
    Some(match kind {
        0 => Value::Null,
        1..=6 => Value::Integer(whole(bytes)),
        7 => match f64::from_be_bytes(*bytes.first_chunk()?) {
            real if real.is_nan() => Value::Null,
            real => Value::Real(real),
        },
        8 => Value::Integer(0),
        9 => Value::Integer(1),
        10 | 11 => return None,
        _ if kind.is_multiple_of(2) => Value::Blob(bytes.into()),
        _ => Value::Text(encoding.text(bytes)),
    })
}

/// A number with its sign, of one to eight bytes.
fn whole(bytes: &[u8]) -> i64 {
    let sign = if bytes.first().is_some_and(|byte| byte & 0x80 != 0) { -1 } else { 0 };
    bytes.iter().fold(sign, |number, byte| number << 8 | i64::from(*byte))
}

/// A number of one to nine bytes, seven bits in each but the ninth, and how many they were.
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut number = 0;
    for (index, byte) in bytes.iter().take(9).enumerate() {
        if index == 8 {
            return Some((number << 8 | u64::from(*byte), 9));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, index + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_all_lengths() {
        for (bytes, expected) in [
            (&[0x00][..], Some((0, 1))),
            (&[0x7f, 0xff], Some((127, 1))),
            (&[0x81, 0x00], Some((128, 2))),
            (&[0xff; 9], Some((u64::MAX, 9))),
            (&[0x80; 8], None),
            (&[], None),
        ] {
            assert_eq!(varint(bytes), expected, "{bytes:?}");
        }
        assert_eq!(whole(&[0xff, 0xfe]), -2);
        assert_eq!(whole(&[0x7f; 6]), 0x7f7f_7f7f_7f7f);
        assert_eq!(whole(&i64::MIN.to_be_bytes()), i64::MIN);
    }

    #[test]
    fn values_of_all_types() {
        let mut record = vec![13, 0, 1, 2, 3, 5, 7, 8, 9, 12 + 4, 13 + 4, 0x80, 0x00];
        record.extend([0x80]);
        record.extend([0xff, 0x00]);
        record.extend([0x01, 0x00, 0x00]);
        record.extend([0, 0, 0, 0, 1, 0]);
        record.extend(1.5_f64.to_be_bytes());
        record.extend([7, 8]);
        record.extend("é".as_bytes());
        let expected = [
            Value::Null,
            Value::Integer(-128),
            Value::Integer(-256),
            Value::Integer(65_536),
            Value::Integer(256),
            Value::Real(1.5),
            Value::Integer(0),
            Value::Integer(1),
            Value::Blob([7, 8][..].into()),
            Value::Text("é".into()),
            Value::Null,
        ];
        for (place, expected) in expected.into_iter().enumerate() {
            assert_eq!(value(&record, place, Encoding::Utf8), Ok(Some(expected)), "{place}");
        }
        assert_eq!(value(&record, 11, Encoding::Utf8), Ok(None), "added later");
    }

    #[test]
    fn what_is_no_record_is_told() {
        for record in [&[][..], &[5, 1], &[2, 10, 0], &[2, 13 + 200, 1], &[3, 0x80], &[0], &[2, 6, 1, 2]] {
            let first = value(record, 0, Encoding::Utf8);
            assert_eq!(first, Err(Malformed), "{record:?}");
        }
        let huge = [10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(value(&huge, 0, Encoding::Utf8), Err(Malformed));
    }

    #[test]
    fn texts_in_each_encoding_and_in_none() {
        for (encoding, bytes) in [
            (Encoding::Utf8, "Łódź 📚".as_bytes().to_vec()),
            (Encoding::Utf16Le, "Łódź 📚".encode_utf16().flat_map(u16::to_le_bytes).collect()),
            (Encoding::Utf16Be, "Łódź 📚".encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ] {
            assert_eq!(encoding.text(&bytes), "Łódź 📚");
        }
        assert_eq!(Encoding::Utf8.text(b"M\xfcller"), "Müller");
        assert_eq!(Encoding::Utf16Le.text(&[0x41, 0, 0x00, 0xd8, 0x42]), "A\u{fffd}");
    }
}
