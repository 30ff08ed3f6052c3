//! What a host's workers ask of their master's locks, for JavaScript, which takes it there.

use std::sync::Arc;

use napi_derive::napi;

use super::sync::{Result, bytes_of, failed, with_desk};
use super::text::Argument;
use crate::core::sync::Out;
use crate::run::value::Value;
use crate::shm::store::Bytes;
use crate::wire::format::Format;

/// A question of a worker, or its end.
#[napi(object, object_from_js = false)]
pub struct RelayedQuestion {
    /// The number of its process here, as long as that lives.
    pub owner: u32,
    pub worker: Option<u32>,
    pub pid: Option<u32>,
    /// JSON; none: the process is gone.
    pub text: Option<String>,
    /// The bytes behind it.
    #[napi(ts_type = "Buffer")]
    pub value: Option<Value<'static>>,
}

/// The locks of this process's workers are kept by another process. What is called by `syncOpen` is called for their questions, too.
#[napi]
pub fn sync_relay() -> Result<()> {
    with_desk(|desk| {
        desk.member.relays();
        Ok(())
    })
}

/// Takes what workers have asked, in order.
#[napi]
pub fn sync_relayed() -> Result<Vec<RelayedQuestion>> {
    with_desk(|desk| {
        let question = |relayed: crate::sync::Relayed| {
            let (asked, value) = relayed.said.unzip();
            RelayedQuestion {
                owner: relayed.owner.into(),
                worker: relayed.who.and_then(|who| who.worker),
                pid: relayed.who.map(|who| who.pid),
                text: asked.map(|asked| {
                    serde_json::to_string(&asked).expect("plain data is serialisable")
                }),
                value: value
                    .flatten()
                    .map(|value| Value::owned(Bytes::from(&*value), Format::Buffer)),
            }
        };
        Ok(desk.member.take_relayed().into_iter().map(question).collect())
    })
}

/// What the process that keeps the locks tells a worker; nothing, if that is gone.
#[napi]
pub fn sync_tell(
    owner: u32,
    text: String,
    #[napi(ts_arg_type = "Uint8Array | null")] value: Option<Argument<'_>>,
) -> Result<()> {
    let told = serde_json::from_str(&text).map_err(failed)?;
    let value = bytes_of(value)?.map(|value| Arc::from(&*value));
    let owner = u16::try_from(owner).map_err(failed)?;
    with_desk(|desk| {
        desk.member.tell(Out { owner, told, value });
        Ok(())
    })
}
