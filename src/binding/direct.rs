//! Functions that are called for every event: their calls come straight from V8, without the
//! conversions that are generated for the others, which cost several times as much.

use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;

use napi::bindgen_prelude::{ToNapiValue, TypeName};
use napi::{Result, ValueType, check_status, sys};

/// A JavaScript function that returns a number and works on a state of its own.
pub struct Direct<T: Callee> {
    pub(crate) state: Rc<T>,
}

/// What a [`Direct`] function works on.
pub trait Callee: 'static {
    /// The function's name, for stack traces.
    const NAME: &'static str;

    /// # Safety
    /// On JavaScript's thread, within a call of `env`.
    unsafe fn call(&self, env: sys::napi_env, arguments: [sys::napi_value; 4]) -> u32;
}

impl<T: Callee> TypeName for Direct<T> {
    fn type_name() -> &'static str {
        "Function"
    }
    fn value_type() -> ValueType {
        ValueType::Function
    }
}

impl<T: Callee> ToNapiValue for Direct<T> {
    unsafe fn to_napi_value(env: sys::napi_env, function: Self) -> Result<sys::napi_value> {
        let data = Rc::into_raw(function.state).cast::<c_void>().cast_mut();
        let mut value = ptr::null_mut();
        let length = T::NAME.len().cast_signed();
        // SAFETY: `env` is live in this call (the trait's contract); `data` is an `Rc` that the
        // finaliser gives back when the function is collected, after its last call.
        unsafe {
            check_status!(sys::napi_create_function(
                env,
                T::NAME.as_ptr().cast(),
                length,
                Some(enter::<T>),
                data,
                &raw mut value
            ))?;
            check_status!(sys::napi_add_finalizer(
                env,
                value,
                data,
                Some(forget::<T>),
                ptr::null_mut(),
                ptr::null_mut()
            ))?;
        }
        Ok(value)
    }
}

unsafe extern "C" fn enter<T: Callee>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    let mut arguments = [ptr::null_mut(); 4];
    let (mut count, mut data, mut value) = (arguments.len(), ptr::null_mut(), ptr::null_mut());
    // SAFETY: in a call of the function that `to_napi_value` made with this state, which lives as
    // long as the function. Arguments that are missing become `undefined`.
    unsafe {
        sys::napi_get_cb_info(
            env,
            info,
            &raw mut count,
            arguments.as_mut_ptr(),
            ptr::null_mut(),
            &raw mut data,
        );
        let answer = (*data.cast::<T>()).call(env, arguments);
        sys::napi_create_uint32(env, answer, &raw mut value);
    }
    value
}

unsafe extern "C" fn forget<T>(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: the `Rc` that `to_napi_value` turned into a pointer, given back once.
    drop(unsafe { Rc::from_raw(data.cast::<T>()) });
}

/// A JavaScript number.
///
/// # Safety
/// `env` is live, and `value` one of its values.
pub(crate) unsafe fn number(env: sys::napi_env, value: sys::napi_value) -> Option<f64> {
    let mut number = 0.0;
    // SAFETY: the caller's.
    let status = unsafe { sys::napi_get_value_double(env, value, &raw mut number) };
    (status == sys::Status::napi_ok).then_some(number)
}

/// A JavaScript number that is a small whole one by the contract of the function.
///
/// # Safety
/// `env` is live, and `value` one of its values.
pub(crate) unsafe fn word(env: sys::napi_env, value: sys::napi_value) -> u32 {
    let mut number = 0;
    // SAFETY: the caller's.
    unsafe { sys::napi_get_value_uint32(env, value, &raw mut number) };
    number
}
