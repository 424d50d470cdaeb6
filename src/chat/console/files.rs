//! What a line at the console names beyond text: a file is a path, a person or a channel is its own name.

use std::path::Path;

use tokio::io::AsyncReadExt as _;

use crate::command::option::{Kind, kind};
use crate::command::{Heard, HeardChannel, HeardFile};

/// What an argv names, as far as the console can tell: the files that are there (others are left out), and
/// people and channels, whose names are their ids here.
pub fn hear(tree: &clap::Command, argv: &[String]) -> Heard {
    let mut heard = Heard::default();
    let mut command = tree;
    for word in argv {
        let Some((name, value)) = word.strip_prefix("--").and_then(|option| option.split_once('=')) else {
            if let Some(next) = command.find_subcommand(word) {
                command = next;
            }
            continue;
        };
        let Some(arg) = command.get_arguments().find(|arg| arg.get_long() == Some(name)) else {
            continue;
        };
        match kind(arg) {
            Kind::File => {
                if let Some(file) = look(value) {
                    heard.files.insert(value.to_owned(), file);
                }
            }
            Kind::Person => {
                heard.people.insert(value.to_owned(), value.to_owned());
            }
            Kind::Channel => {
                heard
                    .channels
                    .insert(value.to_owned(), HeardChannel { name: value.to_owned(), missing: None });
            }
            Kind::Text
            | Kind::Long
            | Kind::More
            | Kind::Day
            | Kind::Named(_)
            | Kind::Choice
            | Kind::Standard
            | Kind::Whole { .. }
            | Kind::YesNo
            | Kind::Role => {}
        }
    }
    heard
}

/// A regular file, as its folder lists it.
fn look(path: &str) -> Option<HeardFile> {
    let meta = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    let name = Path::new(path).file_name()?.to_string_lossy().into_owned();
    let media_type = media_type(&name).map(ToOwned::to_owned);
    Some(HeardFile { name, media_type, size: meta.len(), from: path.to_owned() })
}

/// Reads a file, if it is no larger than `max_bytes`; in words why not.
pub async fn fetch(file: &HeardFile, max_bytes: u64) -> Result<Vec<u8>, String> {
    let unreadable = |error: std::io::Error| format!("{} cannot be read: {error}", file.name);
    let too_large = || format!("{} is larger than the {} that are taken", file.name, size(max_bytes));
    // Asked first, since opening a pipe would wait for its writer.
    let meta = tokio::fs::metadata(&file.from).await.map_err(unreadable)?;
    if !meta.is_file() {
        return Err(format!("{} is not a file", file.name));
    }
    if meta.len() > max_bytes {
        return Err(too_large());
    }
    let open = tokio::fs::File::open(&file.from).await.map_err(unreadable)?;
    let mut bytes = Vec::new();
    // It may grow while it is read.
    open.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes).await.map_err(unreadable)?;
    if u64::try_from(bytes.len()).is_ok_and(|len| len <= max_bytes) { Ok(bytes) } else { Err(too_large()) }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KiB", bytes / 1024),
        _ => format!("{} MiB", bytes / 1_048_576),
    }
}

/// The media type that a file's name suggests.
fn media_type(name: &str) -> Option<&'static str> {
    let (_, extension) = name.rsplit_once('.')?;
    Some(match extension.to_lowercase().as_str() {
        "pdf" => "application/pdf",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "svg" => "image/svg+xml",
        "txt" | "log" => "text/plain",
        "md" => "text/markdown",
        "csv" => "text/csv",
        "html" | "htm" => "text/html",
        "json" => "application/json",
        "xml" => "application/xml",
        "zip" => "application/zip",
        "eml" => "message/rfc822",
        "doc" => "application/msword",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xls" => "application/vnd.ms-excel",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "ppt" => "application/vnd.ms-powerpoint",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "odt" => "application/vnd.oasis.opendocument.text",
        "ods" => "application/vnd.oasis.opendocument.spreadsheet",
        "mp4" => "video/mp4",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::grammar::tree;

    #[tokio::test]
    async fn a_path_is_heard_and_fetched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Access review.PDF");
        std::fs::write(&path, b"%PDF-1.7").unwrap();
        let path = path.to_str().unwrap().to_owned();
        let argv = ["nc", "done", "--nc=4", "--what=x", &format!("--evidence={path}")].map(str::to_owned);
        let heard = hear(&tree(), &argv);
        let file = &heard.files[&path];
        assert_eq!((file.name.as_str(), file.size), ("Access review.PDF", 8));
        assert_eq!(file.media_type.as_deref(), Some("application/pdf"));
        assert_eq!(fetch(file, 8).await.unwrap(), b"%PDF-1.7");
        assert_eq!(
            fetch(file, 7).await.unwrap_err(),
            "Access review.PDF is larger than the 7 bytes that are taken"
        );
        std::fs::remove_file(&path).unwrap();
        assert!(fetch(file, 8).await.unwrap_err().contains("cannot be read"));
        assert!(hear(&tree(), &argv).files.is_empty());
    }

    #[tokio::test]
    async fn folders_and_devices_are_no_files() {
        for path in ["/", "/dev/null", ""] {
            let argv = ["nc".to_owned(), "evidence".to_owned(), format!("--file={path}")];
            assert!(hear(&tree(), &argv).files.is_empty(), "{path}");
        }
        let device =
            HeardFile { name: "zero".to_owned(), media_type: None, size: 0, from: "/dev/zero".to_owned() };
        assert_eq!(fetch(&device, 9).await.unwrap_err(), "zero is not a file");
    }

    #[test]
    fn people_and_channels_are_their_own_names() {
        let argv =
            ["certificate", "edit", "--certificate=1", "--owner=Ana B", "--channel=isms"].map(str::to_owned);
        let heard = hear(&tree(), &argv);
        assert_eq!(heard.people["Ana B"], "Ana B");
        assert_eq!(heard.channels["isms"].name, "isms");
    }
}
