//! Values between V8 and the core: the few raw calls that are several times faster than the ready-made
//! conversions.

use std::ffi::{c_char, c_void};
use std::marker::PhantomData;
use std::ptr;
use std::sync::OnceLock;

use napi::bindgen_prelude::{FromNapiValue, ToNapiValue, TypeName, ValidateNapiValue};
use napi::{Error, Result, Status, ValueType, check_status, sys};

use crate::os::host::exported;
use crate::os::memory::Sink;
use crate::shm::store::{Block, Bytes, LONG};
use crate::wire::format::Format;

/// Below this many UTF-16 units the longest possible UTF-8 is reserved, above it the exact length is
/// asked for first.
const GUESS: usize = LONG;

/// The longest string of V8's, in any version.
const LONGEST_STRING: usize = (1 << 29) - 24;

/// A text of the core's that becomes a JavaScript string.
#[derive(Debug)]
pub struct Text(pub(crate) Vec<u8>);

impl TypeName for Text {
    fn type_name() -> &'static str {
        "String"
    }
    fn value_type() -> ValueType {
        ValueType::String
    }
}

impl ToNapiValue for Text {
    unsafe fn to_napi_value(env: sys::napi_env, text: Self) -> Result<sys::napi_value> {
        // SAFETY: `env` is live in this call (the trait's contract).
        unsafe { string(env, &text.0, text.0.is_ascii()) }
    }
}

/// A value that JavaScript hands over encoded: a string, or bytes. It is read when it is known which.
#[derive(Debug)]
pub struct Argument<'a> {
    env: sys::napi_env,
    value: sys::napi_value,
    call: PhantomData<&'a ()>,
}

impl TypeName for Argument<'_> {
    fn type_name() -> &'static str {
        "String"
    }
    fn value_type() -> ValueType {
        ValueType::Unknown
    }
}

impl ValidateNapiValue for Argument<'_> {}

impl FromNapiValue for Argument<'_> {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> Result<Self> {
        Ok(Self { env, value, call: PhantomData })
    }
}

impl Argument<'_> {
    /// Its bytes. None if it is said to be a string of ASCII, and is not.
    pub(crate) fn read(&self, format: Format) -> Result<Option<Bytes>> {
        if format.is_binary() {
            return self.buffer().map(Some);
        }
        let mut units = 0;
        // SAFETY: `env` and `value` are live as long as the call that they came with; a null buffer
        // asks for the length alone.
        check_status!(unsafe {
            sys::napi_get_value_string_utf16(
                self.env,
                self.value,
                ptr::null_mut(),
                0,
                &raw mut units,
            )
        })?;
        if units <= GUESS {
            let mut bytes = Bytes::default();
            self.write(sys::napi_get_value_string_utf8, units * 3, &mut bytes)?;
            let is_kept = format != Format::String || bytes.len() == units;
            bytes.shrink();
            return Ok(is_kept.then_some(bytes));
        }
        let mut len = 0;
        // SAFETY: as above.
        check_status!(unsafe {
            sys::napi_get_value_string_utf8(self.env, self.value, ptr::null_mut(), 0, &raw mut len)
        })?;
        let is_ascii = len == units;
        if format == Format::String && !is_ascii {
            return Ok(None);
        }
        let mut bytes = Bytes::with_room(len + 1);
        // Of ASCII alone V8 copies the bytes, and does not count them once more before that.
        let get = if is_ascii {
            sys::napi_get_value_string_latin1
        } else {
            sys::napi_get_value_string_utf8
        };
        self.write(get, len, &mut bytes)?;
        Ok(Some(bytes))
    }

    /// Has the string written, which takes `len` bytes at most.
    fn write(&self, get: GetString, len: usize, to: &mut Bytes) -> Result<()> {
        let room = to.spare(len + 1);
        let mut written = 0;
        // SAFETY: `env` and `value` are live (see `read`); the buffer has the room that is named, the
        // closing zero included; what was written is initialised.
        unsafe {
            let start = room.as_mut_ptr().cast();
            check_status!(get(self.env, self.value, start, len + 1, &raw mut written))?;
            to.advance(written);
        }
        Ok(())
    }

    /// The bytes of a `Buffer` or another `Uint8Array`.
    fn buffer(&self) -> Result<Bytes> {
        let (mut data, mut len) = (ptr::null_mut(), 0);
        // SAFETY: `env` and `value` are live (see `read`); what is no view of bytes is refused, and
        // the bytes stay where they are until they are copied: no JavaScript runs before that.
        unsafe {
            check_status!(sys::napi_get_buffer_info(
                self.env,
                self.value,
                &raw mut data,
                &raw mut len
            ))?;
            if len == 0 {
                return Ok(Bytes::default());
            }
            Ok(Bytes::from(std::slice::from_raw_parts(data.cast::<u8>(), len)))
        }
    }
}

/// What writes a string out: value, buffer, its size, what was written.
type GetString =
    unsafe fn(sys::napi_env, sys::napi_value, *mut c_char, usize, *mut usize) -> sys::napi_status;

/// A value that JavaScript decodes: a string, or a `Buffer` if its format is binary.
#[derive(Debug)]
pub struct Content {
    pub(crate) bytes: Bytes,
    pub(crate) format: Format,
}

impl TypeName for Content {
    fn type_name() -> &'static str {
        "String"
    }
    fn value_type() -> ValueType {
        ValueType::Unknown
    }
}

impl ToNapiValue for Content {
    unsafe fn to_napi_value(env: sys::napi_env, content: Self) -> Result<sys::napi_value> {
        let Self { bytes, format } = content;
        let is_binary = format.is_binary();
        let is_latin1 = !is_binary && (format == Format::String || bytes.is_ascii());
        let bytes = match bytes {
            Bytes::Long(block)
                if block.has_a_good_part_of_its_memory() && (is_binary || is_latin1) =>
            {
                // SAFETY: `env` is live in this call (the trait's contract).
                match unsafe { handed_on(env, Box::new(block), is_binary) } {
                    Ok(value) => return Ok(value),
                    Err(block) => Bytes::Long(*block),
                }
            }
            bytes => bytes,
        };
        // SAFETY: as above.
        unsafe { if is_binary { buffer(env, &bytes) } else { string(env, &bytes, is_latin1) } }
    }
}

/// A string of V8's own.
///
/// # Safety
///
/// `env` is live in this call.
pub(super) unsafe fn string(
    env: sys::napi_env,
    bytes: &[u8],
    is_ascii: bool,
) -> Result<sys::napi_value> {
    let length = isize::try_from(bytes.len())
        .map_err(|_| Error::new(Status::InvalidArg, "a text longer than memory"))?;
    let mut value = ptr::null_mut();
    // SAFETY: `env` is live; pointer and length are those of one live slice, which V8 copies.
    check_status!(unsafe {
        if is_ascii {
            sys::napi_create_string_latin1(env, bytes.as_ptr().cast(), length, &raw mut value)
        } else {
            sys::napi_create_string_utf8(env, bytes.as_ptr().cast(), length, &raw mut value)
        }
    })?;
    Ok(value)
}

/// A `Buffer` of Node's own.
///
/// # Safety
///
/// `env` is live in this call.
unsafe fn buffer(env: sys::napi_env, bytes: &[u8]) -> Result<sys::napi_value> {
    let (mut data, mut value) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: `env` is live; pointer and length are those of one live slice, which Node copies.
    check_status!(unsafe {
        sys::napi_create_buffer_copy(
            env,
            bytes.len(),
            bytes.as_ptr().cast(),
            &raw mut data,
            &raw mut value,
        )
    })?;
    Ok(value)
}

/// `node_api_create_external_string_latin1`: the bytes, their number, what is called when they are not
/// needed any more, and with what; the string, and whether the bytes were copied.
type CreateExternal = unsafe extern "C" fn(
    sys::napi_env,
    *mut c_char,
    usize,
    sys::napi_finalize,
    *mut c_void,
    *mut sys::napi_value,
    *mut bool,
) -> sys::napi_status;

/// The function, if this Node has it: 18.18, 20.4 and newer do.
fn create_external() -> Option<CreateExternal> {
    static FOUND: OnceLock<Option<CreateExternal>> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let name = c"node_api_create_external_string_latin1";
        let found = exported(name);
        // SAFETY: what Node exports by this name has this type, in every version; null is `None`.
        unsafe { std::mem::transmute::<*mut c_void, Option<CreateExternal>>(found) }
    })
}

/// A string or a `Buffer` over the block's bytes, which are given back when it is collected. The block
/// is returned if this Node does not do that.
///
/// # Safety
///
/// `env` is live in this call. The bytes of a string are ASCII.
unsafe fn handed_on(
    env: sys::napi_env,
    mut block: Box<Block>,
    is_buffer: bool,
) -> std::result::Result<sys::napi_value, Box<Block>> {
    let create = create_external().filter(|_| block.len() <= LONGEST_STRING);
    if !is_buffer && create.is_none() {
        return Err(block);
    }
    let (data, length) = (block.as_mut_ptr(), block.len());
    let hint = Box::into_raw(block);
    let (mut value, mut is_copied) = (ptr::null_mut(), false);
    // SAFETY: `env` is live; the bytes are the block's alone, which lives until the finaliser gives it
    // back. A Node that copies the bytes of a string calls that at once.
    let status = unsafe {
        match create {
            Some(create) if !is_buffer => create(
                env,
                data.cast(),
                length,
                Some(forget_block),
                hint.cast(),
                &raw mut value,
                &raw mut is_copied,
            ),
            _ => sys::napi_create_external_buffer(
                env,
                length,
                data.cast(),
                Some(forget_block),
                hint.cast(),
                &raw mut value,
            ),
        }
    };
    if status == sys::Status::napi_ok {
        return Ok(value);
    }
    // SAFETY: the box of above; there is no value, and no finaliser that gives it back.
    Err(unsafe { Box::from_raw(hint) })
}

unsafe extern "C" fn forget_block(_env: sys::napi_env, _data: *mut c_void, hint: *mut c_void) {
    // SAFETY: `hint` is the box that was turned into a pointer above, given back once.
    drop(unsafe { Box::from_raw(hint.cast::<Block>()) });
}
