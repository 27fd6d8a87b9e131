//! A row as it is, in JSON and back. What JSON has no word for stands in an object with one key that begins with `$`;
//! docs/backup.md lists them.

use js_sys::{Array, ArrayBuffer, BigInt, Date, Function, Map, Object, Reflect, Set, Uint8Array};
use serde_json::{Value, json};
use std::cell::Cell;
use wasm_bindgen::{JsCast, JsValue};

/// How deep a value is looked into: one that holds itself has no end.
const DEPTH: u32 = 64;
/// How many values within one are looked into: one that holds another twice, and that one another twice, has as good as no end.
const VALUES: u32 = 100_000;
/// The largest number up to which every whole number is one of JavaScript's.
const SAFE: f64 = 9_007_199_254_740_991.0;
/// What looks at bytes as something else.
const VIEWS: [&str; 12] = [
    "Int8Array",
    "Uint8Array",
    "Uint8ClampedArray",
    "Int16Array",
    "Uint16Array",
    "Int32Array",
    "Uint32Array",
    "Float32Array",
    "Float64Array",
    "BigInt64Array",
    "BigUint64Array",
    "DataView",
];

/// The value as JSON. What cannot be carried over stands in it as `$unknown`.
pub(super) fn encode(value: &JsValue) -> Value {
    encode_within(value, DEPTH, &Cell::new(VALUES))
}

fn encode_within(value: &JsValue, depth: u32, left: &Cell<u32>) -> Value {
    let inner = |value: &JsValue| encode_within(value, depth - 1, left);
    let pairs = |pairs: &Array| -> Value {
        let pair = |pair: JsValue| {
            let pair: Array = pair.unchecked_into();
            json!([inner(&pair.get(0)), inner(&pair.get(1))])
        };
        pairs.iter().map(pair).collect()
    };
    if value.is_null() {
        return Value::Null;
    } else if value.is_undefined() {
        return json!({"$undefined": null});
    } else if let Some(value) = value.as_bool() {
        return value.into();
    } else if let Some(number) = value.as_f64() {
        return encode_number(number);
    } else if let Some(text) = value.dyn_ref::<js_sys::JsString>() {
        return encode_text(text);
    } else if let Some(number) = value.dyn_ref::<BigInt>() {
        let text = number.to_string(10).ok().map(String::from);
        return json!({"$bigint": text});
    }
    let object: &Object = value.unchecked_ref();
    if depth == 0 || left.get() == 0 {
        return unknown(object);
    }
    left.set(left.get() - 1);
    if let Some(date) = value.dyn_ref::<Date>() {
        json!({"$date": encode_number(date.get_time())})
    } else if let Some(bytes) = value.dyn_ref::<ArrayBuffer>() {
        json!({"$bytes": Uint8Array::new(bytes).to_vec()})
    } else if ArrayBuffer::is_view(value) {
        encode_view(object)
    } else if let Some(map) = value.dyn_ref::<Map>() {
        json!({"$map": pairs(&Array::from(map))})
    } else if let Some(set) = value.dyn_ref::<Set>() {
        json!({"$set": Array::from(set).iter().map(|value| inner(&value)).collect::<Vec<_>>()})
    } else if let Some(list) = value.dyn_ref::<Array>() {
        let keys = Object::keys(list.unchecked_ref::<Object>());
        let is_plain = keys.length() == list.length()
            && (0..list.length()).all(|place| keys.get(place).as_string() == Some(place.to_string()));
        if is_plain {
            list.iter().map(|value| inner(&value)).collect()
        } else {
            json!({"$array": [list.length(), pairs(&Object::entries(list.unchecked_ref::<Object>()))]})
        }
    } else if kind(object).as_deref() == Some("[object Object]") {
        let entries = Object::entries(object);
        let mut plain = serde_json::Map::new();
        let is_plain = entries.iter().all(|pair| {
            let pair: Array = pair.unchecked_into();
            let key = encode(&pair.get(0)).as_str().map(str::to_owned).filter(|key| !key.starts_with('$'));
            key.map(|key| plain.insert(key, inner(&pair.get(1)))).is_some()
        });
        if is_plain { plain.into() } else { json!({"$object": pairs(&entries)}) }
    } else {
        unknown(object)
    }
}

/// What JavaScript itself calls it: `[object Object]`, `[object Uint8Array]`. Not asked of the object, which may have something
/// else under that name.
fn kind(object: &Object) -> Option<String> {
    let to_string = Reflect::get(&Object::get_prototype_of(&Object::new()), &"toString".into()).ok()?;
    to_string.dyn_ref::<Function>()?.call0(object).ok()?.as_string()
}

fn unknown(object: &Object) -> Value {
    json!({"$unknown": kind(object)})
}

fn encode_view(view: &Object) -> Value {
    let kind = kind(view);
    let name = kind.as_deref().and_then(|kind| kind.strip_prefix("[object ")?.strip_suffix(']'));
    let part = |name: &str| Reflect::get(view, &name.into()).ok();
    let length = |name: &str| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a length of bytes in memory")]
        part(name)?.as_f64().map(|length| length as u32)
    };
    let bytes = || {
        let bytes =
            Uint8Array::new_with_byte_offset_and_length(&part("buffer")?, length("byteOffset")?, length("byteLength")?);
        Some(bytes.to_vec())
    };
    match name.filter(|name| VIEWS.contains(name)).zip(bytes()) {
        Some((name, bytes)) => json!({"$view": [name, bytes]}),
        None => unknown(view),
    }
}

fn decode_view(value: &Value) -> Option<JsValue> {
    let name = value.get(0)?.as_str().filter(|name| VIEWS.contains(name))?;
    let buffer = decode_tagged("$bytes", value.get(1)?)?;
    let constructor = Reflect::get(&js_sys::global(), &name.into()).ok()?;
    // Refused where there are bytes too many or too few for it.
    Reflect::construct(constructor.dyn_ref::<Function>()?, &Array::of1(&buffer)).ok()
}

fn encode_number(number: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "it is whole, and not too large")]
    if number.fract() == 0.0 && number.abs() <= SAFE && !(number == 0.0 && number.is_sign_negative()) {
        Value::from(number as i64)
    } else {
        // As text, since not every reader of JSON gives each digit back.
        json!({"$number": number.to_string()})
    }
}

fn encode_text(text: &js_sys::JsString) -> Value {
    if text.is_valid_utf16() { String::from(text).into() } else { json!({"$text": text.iter().collect::<Vec<u16>>()}) }
}

/// The value that was written so. `None` where it is none that can be stored.
pub(super) fn decode(value: &Value) -> Option<JsValue> {
    Some(match value {
        Value::Null => JsValue::NULL,
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => number.as_f64()?.into(),
        Value::String(text) => text.into(),
        Value::Array(list) => list.iter().map(decode).collect::<Option<Array>>()?.into(),
        Value::Object(object) => match object.iter().next() {
            Some((tag, value)) if tag.starts_with('$') && object.len() == 1 => decode_tagged(tag, value)?,
            _ => {
                let plain = Object::new();
                for (key, value) in object {
                    set(&plain, &key.into(), &decode(value)?)?;
                }
                plain.into()
            }
        },
    })
}

fn decode_tagged(tag: &str, value: &Value) -> Option<JsValue> {
    let pairs = |value: &Value, mut take: &mut dyn FnMut(JsValue, JsValue) -> Option<()>| -> Option<()> {
        let take = &mut take;
        value.as_array()?.iter().try_for_each(|pair| take(decode(pair.get(0)?)?, decode(pair.get(1)?)?))
    };
    Some(match tag {
        "$undefined" => JsValue::UNDEFINED,
        "$number" => value.as_str()?.parse::<f64>().ok()?.into(),
        "$bigint" => BigInt::new(&value.as_str()?.into()).ok()?.into(),
        "$date" => Date::new(&decode(value)?).into(),
        "$text" => {
            let units: Option<Vec<u16>> = value.as_array()?.iter().map(|unit| unit.as_u64()?.try_into().ok()).collect();
            js_sys::JsString::from_char_code(&units?).into()
        }
        "$bytes" => {
            let bytes: Option<Vec<u8>> = value.as_array()?.iter().map(|byte| byte.as_u64()?.try_into().ok()).collect();
            Uint8Array::from(bytes?.as_slice()).buffer().into()
        }
        "$view" => decode_view(value)?,
        "$map" => {
            let map = Map::new();
            pairs(value, &mut |key, value| {
                map.set(&key, &value);
                Some(())
            })?;
            map.into()
        }
        "$set" => {
            let all = Set::new(&JsValue::UNDEFINED);
            for value in value.as_array()? {
                all.add(&decode(value)?);
            }
            all.into()
        }
        "$array" => {
            let list = Array::new_with_length(value.get(0)?.as_u64()?.try_into().ok()?);
            pairs(value.get(1)?, &mut |key, value| set(&list, &key, &value))?;
            list.into()
        }
        "$object" => {
            let object = Object::new();
            pairs(value, &mut |key, value| set(&object, &key, &value))?;
            object.into()
        }
        _ => return None,
    })
}

/// Gives the object a property of its own, whatever its name.
fn set(object: &Object, key: &JsValue, value: &JsValue) -> Option<()> {
    let property = Object::new();
    for (name, value) in [
        ("value", value),
        ("writable", &JsValue::TRUE),
        ("enumerable", &JsValue::TRUE),
        ("configurable", &JsValue::TRUE),
    ] {
        Reflect::set(&property, &name.into(), value).ok()?;
    }
    Reflect::define_property(object, key, &property).ok().filter(|done| *done).map(|_| ())
}
