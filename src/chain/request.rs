//! Requests to be admitted: what a new device sends to a lead (docs/FORMAT.md §2.3).

use super::card::{Card, Device, DeviceKind};
use super::json;
use super::sshsig::{self, Namespace};
use super::time::Time;
use crate::crypto::{SigningKey, sha256};
use crate::id::Fingerprint;
use serde::{Deserialize, Serialize};

const FIRST_LINE: &str = "strongroom-request-v1\n";

/// A device that asks to be admitted. It belongs to no vault yet: which one it goes to, and for whom, the lead decides.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JoinRequest {
    /// The device with its public keys.
    pub device: Device,
    /// What the person wants to be called.
    pub handle: String,
    /// When.
    pub time: Time,
    /// Version, 1.
    pub v: u8,
}

/// A file is no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    /// Another kind of file.
    #[error("this is not a request to be admitted: its first line is not `strongroom-request-v1`")]
    OtherFile,
    /// Not in its one form.
    #[error("the request is damaged: have it sent again, as a file")]
    Malformed,
    /// Not signed by the device that it speaks of.
    #[error("the request was altered: it is not signed by the device that it is for")]
    Signature,
}

impl JoinRequest {
    /// The longest request that is read, in bytes.
    pub const MAX: usize = 8 * 1024;

    fn signed(&self) -> Vec<u8> {
        let mut line = json::to_line(self);
        line.push(b'\n');
        line
    }

    /// The file: a first line that says what it is, the line, and an armored signature of it by the device's own key.
    pub fn sign(&self, key: &SigningKey) -> Vec<u8> {
        let signed = self.signed();
        let signature = sshsig::sign(key, Namespace::Request, &signed);
        [FIRST_LINE.as_bytes(), &signed, signature.as_bytes()].concat()
    }

    /// Reads a file and checks that the device signed it. That proves that whoever made it has the device's key, and
    /// nothing of who that is: people compare the fingerprint.
    pub fn parse(file: &[u8]) -> Result<Self, BadRequest> {
        let rest = file.strip_prefix(FIRST_LINE.as_bytes()).ok_or(BadRequest::OtherFile)?;
        let parsed = (|| {
            let end = rest.iter().position(|byte| *byte == b'\n')?;
            let request: Self = json::from_line(&rest[..end])?;
            let signature = std::str::from_utf8(&rest[end + 1..]).ok()?;
            let sound = request.v == 1
                && request.device.kind == DeviceKind::Device
                && request.device.recipient().is_some()
                && Card::check_handle(&request.handle).is_ok();
            let key = request.device.sign_key()?;
            sound.then_some((request, key, signature))
        })();
        let (request, key, signature) = parsed
            .filter(|_| file.len() <= Self::MAX)
            .ok_or(BadRequest::Malformed)?;
        sshsig::verify(&key, Namespace::Request, &request.signed(), signature).map_err(|_| BadRequest::Signature)?;
        Ok(request)
    }

    /// What the person and the lead compare: it stands for the keys, the device's id and the handle.
    pub fn fingerprint(&self) -> Fingerprint {
        sha256(&[&json::to_line(self)]).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::HybridSecret;
    use crate::id::DeviceId;
    use crate::secret::Secret;

    fn key(n: u8) -> SigningKey {
        SigningKey::from_seed(&Secret::copy_from(&[n; 32]).unwrap())
    }

    fn request() -> JoinRequest {
        let recipient = HybridSecret::from_seed(&Secret::copy_from(&[7; 32]).unwrap()).recipient();
        JoinRequest {
            device: Device::new(DeviceId([7; 8]), DeviceKind::Device, &recipient, key(7).public()),
            handle: "jon".into(),
            time: Time::from_unix(0),
            v: 1,
        }
    }

    #[test]
    fn a_request_comes_back_as_it_was_signed() {
        let file = request().sign(&key(7));
        assert_eq!(JoinRequest::parse(&file), Ok(request()));
        assert!(file.len() < JoinRequest::MAX);
    }

    #[test]
    fn every_flipped_byte_is_noticed() {
        let file = request().sign(&key(7));
        for at in 0..file.len() {
            let mut bad = file.clone();
            bad[at] ^= 1;
            assert!(JoinRequest::parse(&bad).is_err(), "byte {at}");
        }
        assert_eq!(JoinRequest::parse(&file[..file.len() - 1]), Err(BadRequest::Signature));
    }

    #[test]
    fn each_fault_has_its_words() {
        let with = |change: &dyn Fn(&mut JoinRequest), by: u8| {
            let mut request = request();
            change(&mut request);
            JoinRequest::parse(&request.sign(&key(by))).err()
        };
        assert_eq!(with(&|_| (), 7), None);
        assert_eq!(with(&|_| (), 8), Some(BadRequest::Signature));
        let malformed: [&dyn Fn(&mut JoinRequest); 3] = [
            &|request| request.v = 2,
            &|request| request.handle = "Jon".into(),
            &|request| request.device.kind = DeviceKind::Paper,
        ];
        for change in malformed {
            assert_eq!(with(change, 7), Some(BadRequest::Malformed));
        }
        assert_eq!(
            JoinRequest::parse(b"strongroom-identity-v1\n"),
            Err(BadRequest::OtherFile)
        );
    }

    #[test]
    fn the_fingerprint_stands_for_all_of_it() {
        let changes: [&dyn Fn(&mut JoinRequest); 4] = [
            &|request| request.handle = "joan".into(),
            &|request| request.device.device = DeviceId([8; 8]),
            &|request| request.time = Time::from_unix(1),
            &|request| {
                let recipient = request.device.recipient().unwrap();
                request.device = Device::new(DeviceId([7; 8]), DeviceKind::Device, &recipient, key(8).public());
            },
        ];
        for change in changes {
            let mut other = request();
            change(&mut other);
            assert_ne!(other.fingerprint(), request().fingerprint());
        }
    }
}
