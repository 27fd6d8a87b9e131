//! Encrypts what is kept of people, with the browser's own AES-GCM.

use crate::webext::object;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Crypto, CryptoKey, SubtleCrypto};

const ALGORITHM: &str = "AES-GCM";
/// The bytes of a key.
pub(super) const KEY: usize = 32;
/// The bytes that AES-GCM wants to be different each time. They stand before what is encrypted.
const NONCE: usize = 12;
/// How often a passphrase is hashed (PBKDF2 with SHA-256): what OWASP asks for. It takes a computer about a quarter of a
/// second, once when Firefox has started, and whoever tries passphrases as long for each.
const ITERATIONS: u32 = 600_000;

/// A key in use.
#[derive(Debug, Clone)]
pub(super) struct Cipher(CryptoKey);

fn crypto() -> Result<Crypto, JsValue> {
    web_sys::window().ok_or("no window")?.crypto()
}

fn subtle() -> Result<SubtleCrypto, JsValue> {
    Ok(crypto()?.subtle())
}

/// This number of random bytes.
///
/// # Errors
/// When the browser has none.
pub(super) fn random(length: usize) -> Result<Vec<u8>, JsValue> {
    let mut bytes = vec![0; length];
    crypto()?.get_random_values_with_u8_array(&mut bytes)?;
    Ok(bytes)
}

fn usages() -> JsValue {
    Array::of2(&"encrypt".into(), &"decrypt".into()).into()
}

impl Cipher {
    /// With a key that the browser holds, and from which nobody gets its bytes.
    pub(super) fn of(key: CryptoKey) -> Self {
        Self(key)
    }

    /// The key, as the browser holds it.
    pub(super) fn key(&self) -> &CryptoKey {
        &self.0
    }

    /// With a key of [`KEY`] bytes.
    ///
    /// # Errors
    /// When the browser does not take it.
    pub(super) async fn new(key: &[u8]) -> Result<Self, JsValue> {
        let bytes = Uint8Array::from(key);
        let importing = subtle()?.import_key_with_str("raw", &bytes, ALGORITHM, false, &usages())?;
        Ok(Self(JsFuture::from(importing).await?.unchecked_into()))
    }

    /// With a key made of a passphrase.
    ///
    /// # Errors
    /// As [`Cipher::new`].
    pub(super) async fn from_passphrase(passphrase: &str, salt: &[u8]) -> Result<Self, JsValue> {
        let subtle = subtle()?;
        let bytes = Uint8Array::from(passphrase.as_bytes());
        let derive = Array::of1(&"deriveKey".into());
        let importing = subtle.import_key_with_str("raw", &bytes, "PBKDF2", false, &derive)?;
        let phrase: CryptoKey = JsFuture::from(importing).await?.unchecked_into();
        let how = object([
            ("name", "PBKDF2".into()),
            ("hash", "SHA-256".into()),
            ("salt", Uint8Array::from(salt).into()),
            ("iterations", ITERATIONS.into()),
        ]);
        let what = object([("name", ALGORITHM.into()), ("length", 256.into())]);
        let deriving = subtle.derive_key_with_object_and_object(&how, &phrase, &what, false, &usages())?;
        Ok(Self(JsFuture::from(deriving).await?.unchecked_into()))
    }

    fn parameters(nonce: &[u8], name: u64) -> js_sys::Object {
        object([
            ("name", ALGORITHM.into()),
            ("iv", Uint8Array::from(nonce).into()),
            ("additionalData", Uint8Array::from(&name.to_le_bytes()[..]).into()),
        ])
    }

    /// Encrypted under a name: under another it cannot be decrypted, so nothing can be put in the place of something else.
    ///
    /// # Errors
    /// When the browser cannot.
    pub(super) async fn encrypt(&self, name: u64, bytes: &mut [u8]) -> Result<Uint8Array, JsValue> {
        let nonce = random(NONCE)?;
        let encrypting = subtle()?.encrypt_with_object_and_u8_array(&Self::parameters(&nonce, name), &self.0, bytes)?;
        let encrypted = Uint8Array::new(&JsFuture::from(encrypting).await?);
        let whole = Uint8Array::new_with_length(encrypted.length() + u32::try_from(NONCE).unwrap_or_default());
        whole.set(&Uint8Array::from(&nonce[..]), 0);
        whole.set(&encrypted, u32::try_from(NONCE).unwrap_or_default());
        Ok(whole)
    }

    /// What was encrypted under this name; `None` where it was not, or not with this key.
    pub(super) async fn decrypt(&self, name: u64, encrypted: &Uint8Array) -> Option<Vec<u8>> {
        let mut bytes = encrypted.to_vec();
        let (nonce, content) = bytes.split_at_mut_checked(NONCE)?;
        let parameters = Self::parameters(nonce, name);
        let decrypting = subtle().ok()?.decrypt_with_object_and_u8_array(&parameters, &self.0, content).ok()?;
        let decrypted = JsFuture::from(decrypting).await.ok()?;
        Some(Uint8Array::new(&decrypted).to_vec())
    }
}
