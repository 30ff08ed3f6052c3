fn main() {
    napi_build::setup();
    // Otherwise the name of the library would depend on the folder of the build.
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "macos") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-install_name,@rpath/sonic-distribute.node");
    }
}
