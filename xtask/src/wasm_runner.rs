//! Runs a test binary of wasm-bindgen-test in a real Firefox: cargo calls this with the .wasm file.
//!
//! The page and its server stand on 127.0.0.1 for as long as the tests run. The server also plays a few parts for the
//! tests of the network: `/echo`, `/redirect`, `/close`, `/cut`, `/endless`.

use crate::{
    glue,
    project::{Result, at},
};
use koct_tests::firefox::{Firefox, Options};
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    time::Duration,
};

const GLUE: &str = "koct_test";
const TIME_LIMIT: Duration = Duration::from_mins(5);

/// The tests are the exports whose names begin with `__wbgt_`; the context runs them and writes into `#output`.
const PAGE: &str = r#"<!DOCTYPE html><meta charset="utf-8"><title>tests</title>
<pre id="output"></pre><pre id="console_output"></pre>
<script type="module">
  import init, * as glue from "./koct_test.js";
  try {
    const wasm = await init();
    const context = new glue.WasmBindgenTestContext(false);
    context.include_ignored(false);
    context.filtered_count(0);
    window.__wbg_test_invoke = test => test();
    for (const level of ["debug", "log", "info", "warn", "error"]) {
      const real = console[level];
      console[level] = (...values) => { glue["__wbgtest_console_" + level](values); real.apply(console, values); };
    }
    const tests = Object.keys(wasm).filter(name => name.startsWith("__wbgt_"));
    window.passed = await context.run(tests.map(name => wasm[name]));
  } catch (error) {
    document.getElementById("output").append("\n" + error);
    window.passed = false;
  }
  window.over = true;
</script>
"#;

/// Runs the tests in this file.
///
/// # Errors
/// When one fails, or they cannot be run.
pub(crate) fn run(wasm: &Path) -> Result {
    let url = served(wasm, PAGE)?;
    let firefox = Firefox::start(&Options::default()).map_err(|error| error.to_string())?;
    let (output, passed) = in_firefox(&firefox, &url).map_err(|error| error.to_string())?;
    println!("{output}");
    let errors = || firefox.console_errors().unwrap_or_default().join("\n");
    if passed { Ok(()) } else { Err(format!("{} failed\n{}", wasm.display(), errors())) }
}

/// Serves a page and, as `koct_test.js`, what wasm-bindgen makes of the .wasm file, for as long as this program runs.
/// Returns the page's address.
///
/// # Errors
/// When wasm-bindgen does not take the file.
pub(crate) fn served(wasm: &Path, page: &str) -> Result<String> {
    let folder = wasm.with_extension("page");
    at(&folder, fs::create_dir_all(&folder))?;
    glue::generate(wasm, &folder, GLUE, |bindgen| {
        bindgen.keep_debug(false).emit_start(false);
    })?;
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let page: std::sync::Arc<str> = page.into();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (folder, page) = (folder.clone(), page.clone());
            // A browser that goes away is no error.
            std::thread::spawn(move || serve(stream, &folder, &page).ok());
        }
    });
    Ok(format!("http://{address}/"))
}

fn in_firefox(firefox: &Firefox, url: &str) -> koct_tests::Result<(String, bool)> {
    let page = firefox.open(url)?;
    page.wait_for("window.over", TIME_LIMIT)?;
    let output = page.eval("document.getElementById('output').textContent")?;
    let passed = page.eval("window.passed === true")?;
    Ok((output.as_str().unwrap_or_default().to_owned(), passed == serde_json::Value::Bool(true)))
}

fn serve(mut stream: TcpStream, folder: &Path, page: &str) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut head = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let path = head.split_whitespace().nth(1).unwrap_or("/");
    let (status, kind, content) = match path {
        "/" => ("200 OK", "text/html", page.into()),
        // What was asked, word for word.
        "/echo" => (
            "200 OK",
            "text/plain; charset=utf-8\r\nCSRF-TOKEN: token\r\nX-Total-Count: 42",
            [head.as_bytes(), b"\n", &body].concat(),
        ),
        "/redirect" => ("302 Found\r\nLocation: /echo", "text/plain", Vec::new()),
        "/error" => ("500 Internal Server Error", "text/plain", b"no".to_vec()),
        "/close" => return Ok(()),
        "/cut" => {
            return stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\nConnection: close\r\n\r\nAdded.");
        }
        // Until the other side has heard enough.
        "/endless" | "/endless-page" => {
            let kind = if path == "/endless" { "plain" } else { "html" };
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: text/{kind}\r\nConnection: close\r\n\r\n")?;
            let piece = "Added. ".repeat(10_000);
            while stream.write_all(piece.as_bytes()).is_ok() {}
            return Ok(());
        }
        file => {
            let path: PathBuf = folder.join(file.trim_start_matches('/').replace("..", ""));
            match fs::read(&path) {
                Ok(content) if path.extension().is_some_and(|end| end == "wasm") => {
                    ("200 OK", "application/wasm", content)
                }
                Ok(content) => ("200 OK", "text/javascript", content),
                Err(_) => ("404 Not Found", "text/plain", Vec::new()),
            }
        }
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        content.len()
    )?;
    stream.write_all(&content)
}
