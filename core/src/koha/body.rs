//! The body of an answer as it comes, bit by bit, and never more of it than Koha would say.

use super::{Failure, Request, Response};

/// What has come of a body.
#[derive(Debug)]
pub struct Body {
    bytes: Vec<u8>,
    limit: usize,
    is_cut: bool,
}

impl Body {
    /// Nothing yet of the answer to this request.
    pub fn of(request: &Request) -> Self {
        Self { bytes: Vec::new(), limit: request.size_limit, is_cut: false }
    }

    /// The number of bytes for which there is room.
    pub fn room(&self) -> usize {
        self.limit - self.bytes.len()
    }

    /// Takes what came next, as far as there is room. Returns whether more is wanted.
    pub fn take(&mut self, piece: &[u8]) -> bool {
        self.is_cut |= piece.len() > self.room();
        self.bytes.extend_from_slice(&piece[..piece.len().min(self.room())]);
        !self.is_cut
    }

    /// The answer whose head this is. Of a web page its beginning is enough, Koha's own or anybody's: no data comes so.
    ///
    /// # Errors
    /// [`Failure::TooLong`] where anything else is longer than the limit.
    pub fn into_answer(self, head: Response) -> Result<Response, Failure> {
        let bytes = self.bytes.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec).unwrap_or(self.bytes);
        let body =
            String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        let answer = Response { body, ..head };
        if self.is_cut && !answer.is_html() { Err(Failure::TooLong) } else { Ok(answer) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::koha::{Secret, page, service};

    fn read(pieces: &[&[u8]], size_limit: usize, content_type: &str) -> Result<Response, Failure> {
        let mut body = Body::of(&Request { size_limit, ..Request::get(String::new()) });
        for (number, piece) in pieces.iter().enumerate() {
            if !body.take(piece) {
                assert!(number + 1 == pieces.len(), "nobody asks for more");
                assert_eq!(body.room(), 0);
            }
        }
        body.into_answer(Response { status: 200, content_type: content_type.into(), ..Response::default() })
    }

    #[test]
    fn what_is_longer_than_koha_says_is_no_answer() {
        let text = |pieces: &[&[u8]]| read(pieces, 6, "text/plain").map(|answer| answer.body);
        assert_eq!(text(&[b"Add", b"ed."]).as_deref(), Ok("Added."));
        assert_eq!(text(&[b"Added.", b" "]), Err(Failure::TooLong));
        assert_eq!(text(&[]).as_deref(), Ok(""));
        assert_eq!(
            text(&[b"\xef\xbb\xbf", b"\xc3", b"\xa9"]).as_deref(),
            Ok("é"),
            "in the middle of a letter, after a BOM"
        );
        assert_eq!(text(&[b"a\xff"]).as_deref(), Ok("a\u{fffd}"));
    }

    #[test]
    fn a_page_is_read_as_far_as_it_came() {
        let page = b"<!DOCTYPE html><meta name=\"csrf-token\" content=\"t\"><i class=\"loggedinusername\">anna</i>";
        let endless = [&page[..], &b" news".repeat(1_000), "é".as_bytes()].concat();
        let answer = read(&[&endless], page.len() + 11, "text/html").unwrap();
        let who = page::logged_in(&answer).unwrap();
        assert_eq!((who.userid.as_str(), who.csrf_token), ("anna", Some(Secret::new("t"))));
        assert_eq!(service::read(&answer), service::Answer::Strange);
    }
}
