//! The store, with its files.

use super::*;
use crate::builder::{Driver, Node};

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path().join("buildx"));
    (folder, store)
}

fn builder(name: &str) -> Builder {
    let mut builder = Builder::new(name, Driver::Remote);
    builder.nodes.push(Node {
        name: format!("{name}0"),
        endpoint: "tcp://host:1234".into(),
        ..Node::default()
    });
    builder
}

#[test]
fn a_builder_is_found_again_until_it_is_removed() {
    let (_folder, store) = store();
    assert!(store.builder("one").unwrap().is_none());
    let locked = store.lock().unwrap();
    locked.save(&builder("One")).unwrap();
    assert_eq!(store.builder("one").unwrap().unwrap(), builder("One"));
    assert!(store.last_activity("one").is_some());
    locked.remove("ONE").unwrap();
    assert!(store.builder("one").unwrap().is_none());
    assert!(store.names().unwrap().is_empty());
}

#[test]
fn a_broken_file_is_named_and_the_others_are_read() {
    let (_folder, store) = store();
    store.lock().unwrap().save(&builder("good")).unwrap();
    let broken = store.folder().join("instances/bad");
    fs::write(&broken, b"{\"Name\":").unwrap();
    let read = store.builders().unwrap();
    assert_eq!(read.len(), 2);
    let error = read[0].as_ref().unwrap_err();
    assert!(error.to_string().contains("instances/bad"), "{error}");
    assert_eq!(read[1].as_ref().unwrap().name, "good");
    assert_eq!(fs::read(&broken).unwrap(), b"{\"Name\":");
}

#[test]
fn a_name_with_control_characters_makes_a_file_broken() {
    let (_folder, store) = store();
    store.lock().unwrap().save(&builder("good")).unwrap();
    let path = store.folder().join("instances/good");
    let good = fs::read_to_string(&path).unwrap();
    for (field, value) in [
        (r#""Name":"good""#, r#""Name":"a\nb""#),
        (r#""Driver":"remote""#, r#""Driver":"re\u001b[2Jmote""#),
        (r#""Name":"good0""#, r#""Name":"a\rb""#),
        (
            r#""Endpoint":"tcp://host:1234""#,
            r#""Endpoint":"tcp://h\u202e:1""#,
        ),
    ] {
        assert!(good.contains(field), "{good}");
        fs::write(&path, good.replace(field, value)).unwrap();
        let error = store.builder("good").unwrap_err();
        let text = crate::causes::in_one_line(&error);
        assert!(text.contains("has control characters"), "{text}");
        assert!(!text.contains(crate::text::is_unprintable), "{text:?}");
    }
}

#[test]
fn the_choice_is_one_endpoint_s_or_global() {
    let (_folder, store) = store();
    let locked = store.lock().unwrap();
    locked.save(&builder("one")).unwrap();
    locked
        .set_current("unix:///a.sock", "one", false, false)
        .unwrap();
    assert_eq!(
        store.current("unix:///a.sock").unwrap().as_deref(),
        Some("one")
    );
    assert_eq!(store.current("unix:///b.sock").unwrap(), None);
    locked
        .set_current("unix:///a.sock", "one", true, false)
        .unwrap();
    assert_eq!(
        store.current("unix:///b.sock").unwrap().as_deref(),
        Some("one")
    );
}

#[test]
fn a_default_comes_back_with_its_endpoint() {
    let (_folder, store) = store();
    let locked = store.lock().unwrap();
    locked.save(&builder("one")).unwrap();
    locked.set_current("a", "one", false, true).unwrap();
    locked.set_current("b", "", false, false).unwrap();
    assert_eq!(store.current("a").unwrap().as_deref(), Some("one"));
    assert_eq!(store.current("b").unwrap(), None);
    // buildx's name for the file.
    let hash = "ca978112ca1bbdcafac2";
    assert_eq!(
        fs::read(store.folder().join("defaults").join(hash)).unwrap(),
        b"one"
    );
}

#[test]
fn a_choice_that_is_gone_is_none() {
    let (_folder, store) = store();
    let locked = store.lock().unwrap();
    locked.set_current("a", "gone", true, false).unwrap();
    assert_eq!(store.current("a").unwrap(), None);
}

#[test]
fn the_nearest_name_is_suggested() {
    let (_folder, store) = store();
    store.lock().unwrap().save(&builder("mybuilder")).unwrap();
    let error = store.not_found("mybulder", &["default".into()]);
    assert!(
        error.to_string().contains("did you mean mybuilder?"),
        "{error}"
    );
}

#[test]
fn changes_of_several_threads_are_all_there() {
    let (_folder, store) = store();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let store = &store;
            scope.spawn(move || {
                let locked = store.lock().unwrap();
                let mut shared = locked
                    .builder("shared")
                    .unwrap()
                    .unwrap_or(builder("shared"));
                shared.nodes.push(Node {
                    name: format!("n{number}"),
                    ..Node::default()
                });
                locked.save(&shared).unwrap();
            });
        }
    });
    assert_eq!(store.builder("shared").unwrap().unwrap().nodes.len(), 9);
}
