//! Shows operations on images as steps of the client.

use crate::steps;

use super::channel::Writer;
use super::event::LogStream;
use super::step::Step;

impl steps::Steps for Writer {
    fn begin(&self, name: String) -> Box<dyn steps::Step> {
        Box::new(self.step(name))
    }
}

impl steps::Step for Step {
    fn log(&self, line: String) {
        Self::log(self, LogStream::Stdout, line + "\n");
    }

    fn copies(&self, name: String, size: u64) -> Box<dyn FnMut(u64) + Send> {
        let mut transfer = self.transfer(name);
        transfer.set_total(size);
        Box::new(move |sent| transfer.set_current(sent))
    }

    fn end(self: Box<Self>, error: Option<String>) {
        match error {
            None => self.done(),
            Some(error) => self.fail(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::channel::channel;
    use crate::steps::Steps as _;

    #[test]
    fn a_step_of_images_is_shown_with_its_log_bytes_and_error() {
        let (writer, mut updates) = channel();
        let step = writer.begin("pushing".to_owned());
        step.log("copying".to_owned());
        step.copies("sha256:a".to_owned(), 7)(7);
        step.end(Some("refused".to_owned()));
        let mut seen = Vec::new();
        while let Some(event) = updates.try_recv() {
            let update = event.update;
            seen.extend(update.logs.into_iter().map(|log| format!("{:?}", log.data)));
            let sizes = update.statuses.into_iter();
            seen.extend(sizes.map(|status| format!("{}/{}", status.current, status.total)));
            seen.extend(update.vertexes.into_iter().map(|vertex| vertex.error));
        }
        assert_eq!(seen.first().map(String::as_str), Some(""));
        assert!(seen.contains(&"b\"copying\\n\"".to_owned()), "{seen:?}");
        assert!(seen.contains(&"7/7".to_owned()), "{seen:?}");
        assert_eq!(seen.last().map(String::as_str), Some("refused"));
    }
}
