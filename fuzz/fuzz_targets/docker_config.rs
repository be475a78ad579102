//! Docker's configuration: any text is parsed or rejected, the error quotes nothing of it, and
//! login keys are stable.

#![no_main]

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use libfuzzer_sys::fuzz_target;
use solvekit::registry::{Credentials, login_key, registry_of_key};

fuzz_target!(|text: &str| {
    let key = login_key(text);
    assert_eq!(login_key(&key), key);
    assert!(key.starts_with(registry_of_key(&key)) || registry_of_key(&key) == "docker.io");
    match Credentials::none().with_auth_config(text) {
        Ok(credentials) => {
            for registry in ["docker.io", "r.example", "localhost:5000"] {
                let mut asked = pin!(credentials.get_for(registry, "team/app"));
                let polled = asked.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                assert!(
                    matches!(polled, Poll::Ready(_)),
                    "no file and no helper is asked"
                );
            }
        }
        Err(error) => assert!(!error.to_string().contains('\n')),
    }
});
