//! The JSON of `--print`, and the tables and JSON of `--list`.

mod context;

mod json;

mod list;

mod table;

mod target;

pub use context::shown_context;
pub use list::{ListedVariable, targets_json, targets_table, variables_json, variables_table};

use std::collections::BTreeMap;

use self::json::Writer;
use crate::target::{Group, Target};

/// Returns the JSON of `--print`: groups and targets by name.
///
/// The order of attributes, the indentation and the escapes are those of the reference.
pub fn plan_json(groups: &BTreeMap<String, Group>, targets: &BTreeMap<String, Target>) -> String {
    let mut writer = Writer::default();
    writer.object(|writer| {
        if !groups.is_empty() {
            writer.key("group");
            writer.object(|writer| {
                for (name, group) in groups {
                    writer.key(name);
                    group_json(writer, group);
                }
            });
        }
        writer.key("target");
        writer.object(|writer| {
            for (name, target) in targets {
                writer.key(name);
                target::write(writer, target);
            }
        });
    });
    writer.finish() + "\n"
}

fn group_json(writer: &mut Writer, group: &Group) {
    writer.object(|writer| {
        if !group.description.is_empty() {
            writer.key("description");
            writer.text(&group.description);
        }
        writer.key("targets");
        if group.is_unset && group.targets.is_empty() {
            writer.null();
        } else {
            writer.list(&group.targets, |writer, name| writer.text(name));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Attest;

    #[test]
    fn a_plan_is_printed_with_escapes() {
        let group = Group {
            targets: vec!["t".to_owned()],
            ..Group::default()
        };
        let mut target = Target {
            context: Some(".".to_owned()),
            ..Target::default()
        };
        target.args.insert("A".to_owned(), "${X} %{Y} <".to_owned());
        target.attest = vec![Attest {
            kind: "sbom".to_owned(),
            disabled: true,
            ..Attest::default()
        }];
        let printed = plan_json(
            &BTreeMap::from([("default".to_owned(), group)]),
            &BTreeMap::from([("t".to_owned(), target)]),
        );
        let expected = r#"{
  "group": {
    "default": {
      "targets": [
        "t"
      ]
    }
  },
  "target": {
    "t": {
      "attest": [
        {
          "disabled": true,
          "type": "sbom"
        }
      ],
      "context": ".",
      "args": {
        "A": "$${X} %%{Y} \u003c"
      }
    }
  }
}
"#;
        assert_eq!(printed, expected);
    }
}
