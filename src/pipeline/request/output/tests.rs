use super::*;

#[test]
fn quoted_fields_hold_several_names() {
    let output: Output = r#"type=image,"name=a/b:1,c/d:2",push=true"#.parse().unwrap();
    assert_eq!(output.attributes["name"], "a/b:1,c/d:2");
    assert!(output.pushes());
}

#[test]
fn registry_is_an_image_that_is_pushed() {
    assert!("type=registry".parse::<Output>().unwrap().pushes());
    assert!(
        !"type=registry,push=false"
            .parse::<Output>()
            .unwrap()
            .pushes()
    );
    assert!(!"type=image".parse::<Output>().unwrap().pushes());
}

#[test]
fn a_path_alone_is_a_folder_and_a_dash_an_archive() {
    let local: Output = "out/x".parse().unwrap();
    assert_eq!(local, Output::to(OutputKind::Local, "out/x"));
    let tar: Output = "-".parse().unwrap();
    assert_eq!(tar.kind, OutputKind::Tar);
    assert_eq!(tar.destination, Some(Destination::StandardOutput));
    let oci: Output = "type=oci,dest=a.tar,name=x".parse().unwrap();
    assert_eq!(oci.destination, Some(Destination::Path("a.tar".into())));
    assert_eq!("type=docker".parse::<Output>().unwrap(), Output::load());
}

#[test]
fn an_image_goes_to_a_folder_when_it_is_no_archive() {
    let folder: Output = "type=oci,tar=false,dest=images".parse().unwrap();
    assert!(folder.is_layout());
    assert_eq!(folder.attributes["tar"], "false");
    for archive in [
        "type=oci,tar=true,dest=x",
        "type=oci,tar=,dest=x",
        "type=oci",
    ] {
        assert!(!archive.parse::<Output>().unwrap().is_layout(), "{archive}");
    }
}

#[test]
fn mistakes_name_what_is_wrong() {
    for (text, part) in [
        ("type=image,x", "not key=value"),
        ("type=local", "dest= is missing"),
        ("type=local,dest=x,mode=move", "neither copy nor delete"),
        ("type=local,dest=-", "type=tar can"),
        ("type=image,dest=x", "has no dest="),
        ("type=oci,tar=false", "dest= is missing"),
        ("type=docker,tar=false", "dest= is missing"),
        ("type=oci,tar=false,dest=-", "tar=true can"),
        ("type=oci,tar=off,dest=x", "neither true nor false"),
        ("name=x,push=true", "type= is missing"),
        ("type=imag", "no type \"imag\""),
        ("type=image,push=maybe", "neither true nor false"),
        ("type=image,\"name=a", "not closed"),
    ] {
        let error = text.parse::<Output>().unwrap_err();
        let error = crate::causes::in_one_line(&error);
        assert!(error.contains(part), "{text}: {error}");
    }
}
