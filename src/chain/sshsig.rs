//! SSHSIG signatures (openssh PROTOCOL.sshsig), so that stock git and ssh-keygen can check them.

use crate::crypto::{PublicKey, SigningKey};
use ssh_key::{Algorithm, HashAlg, LineEnding, Signature, SshSig, public};

/// The longest armored signature that is read.
const MAX: usize = 2048;

/// What a signature is for: a device key signs nothing outside one of these and C2SP notes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Namespace {
    /// Commits, as git wants it.
    Git,
    /// Cards of the roster.
    Card,
    /// What a device asks to be admitted with.
    Request,
    /// What is given out of a vault.
    Export,
    /// The keys that concerns are sealed with.
    Concern,
}

impl Namespace {
    fn text(self) -> &'static str {
        match self {
            Namespace::Git => "git",
            Namespace::Card => "card@strongroom",
            Namespace::Request => "request@strongroom",
            Namespace::Export => "export@strongroom",
            Namespace::Concern => "concern@strongroom",
        }
    }
}

/// The text is no signature by that key for that purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSshSig {
    /// Not an armored SSHSIG in its one form.
    #[error("this is not an SSH signature")]
    Malformed,
    /// Another key, purpose or message.
    #[error("this SSH signature is not by that key, or not for this")]
    Invalid,
}

/// The armored signature of `message`, ended by a newline.
pub fn sign(key: &SigningKey, namespace: Namespace, message: &[u8]) -> String {
    let armored = SshSig::signed_data(namespace.text(), HashAlg::Sha512, message).and_then(|data| {
        let signature = Signature::new(Algorithm::Ed25519, key.sign(&data).to_vec())?;
        let public = public::KeyData::Ed25519(public::Ed25519PublicKey(key.public().0));
        SshSig::new(public, namespace.text(), HashAlg::Sha512, signature)?.to_pem(LineEnding::LF)
    });
    match armored {
        // The library ends the armor without a newline; git and ssh-keygen write one.
        Ok(armored) => format!("{}\n", armored.trim_end()),
        // INVARIANT (fixed shapes): key, namespace and signature have the sizes that the container wants.
        Err(_) => unreachable!("an Ed25519 signature always has an SSHSIG form"),
    }
}

/// Holds if `armored` is `key`'s signature of `message` for `namespace`.
pub fn verify(key: &PublicKey, namespace: Namespace, message: &[u8], armored: &str) -> Result<(), BadSshSig> {
    if armored.len() > MAX {
        return Err(BadSshSig::Malformed);
    }
    let parsed = SshSig::from_pem(armored.as_bytes()).map_err(|_| BadSshSig::Malformed)?;
    // The library passes over what surrounds the lines of an armor, and over how long they are.
    let again = parsed.to_pem(LineEnding::LF).map_err(|_| BadSshSig::Malformed)?;
    if armored.strip_suffix('\n') != Some(again.trim_end()) {
        return Err(BadSshSig::Malformed);
    }
    let same_key = matches!(parsed.public_key(), public::KeyData::Ed25519(found) if found.0 == key.0);
    if !same_key || parsed.namespace() != namespace.text() || parsed.hash_alg() != HashAlg::Sha512 {
        return Err(BadSshSig::Invalid);
    }
    let data = SshSig::signed_data(namespace.text(), HashAlg::Sha512, message).map_err(|_| BadSshSig::Malformed)?;
    key.verify(&data, parsed.signature().as_bytes())
        .map_err(|_| BadSshSig::Invalid)
}

/// `ssh-ed25519 AAAA…`, as it stands in `allowed_signers`.
pub fn public_line(key: &PublicKey) -> String {
    let public = ssh_key::PublicKey::from(public::KeyData::Ed25519(public::Ed25519PublicKey(key.0)));
    public.to_openssh().unwrap_or_default().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn a_signature_holds_for_its_purpose_alone() {
        let key = SigningKey::from_seed(&Secret::copy_from(&[1; 32]).unwrap());
        let other = SigningKey::from_seed(&Secret::copy_from(&[2; 32]).unwrap()).public();
        let armored = sign(&key, Namespace::Card, b"card");
        assert!(
            armored.starts_with("-----BEGIN SSH SIGNATURE-----\n")
                && armored.ends_with("-----END SSH SIGNATURE-----\n")
        );
        assert_eq!(verify(&key.public(), Namespace::Card, b"card", &armored), Ok(()));
        assert_eq!(
            verify(&key.public(), Namespace::Git, b"card", &armored),
            Err(BadSshSig::Invalid)
        );
        assert_eq!(
            verify(&key.public(), Namespace::Card, b"cart", &armored),
            Err(BadSshSig::Invalid)
        );
        assert_eq!(
            verify(&other, Namespace::Card, b"card", &armored),
            Err(BadSshSig::Invalid)
        );
        assert_eq!(
            verify(&other, Namespace::Card, b"card", "no"),
            Err(BadSshSig::Malformed)
        );
    }

    #[test]
    fn an_armor_has_one_form() {
        let key = SigningKey::from_seed(&Secret::copy_from(&[1; 32]).unwrap());
        let armored = sign(&key, Namespace::Card, b"card");
        for bad in [
            armored.trim_end().to_owned(),
            format!("{armored}\n"),
            format!("\n{armored}"),
            armored.replace('\n', "\r\n"),
            armored.replacen('\n', " \n", 1),
            armored.replacen("U1NI", "U1NI\n", 1),
        ] {
            let judged = verify(&key.public(), Namespace::Card, b"card", &bad);
            assert_eq!(judged, Err(BadSshSig::Malformed), "{bad}");
        }
    }

    #[test]
    fn the_public_line_is_openssh_s() {
        let key = SigningKey::from_seed(&Secret::copy_from(&[1; 32]).unwrap());
        assert!(public_line(&key.public()).starts_with("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI"));
    }
}
