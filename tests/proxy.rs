//! A bad network between workers and the service: one TCP proxy whose weather can be changed at any time.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What happens to what passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    Clear,
    /// Connections break, and none comes about.
    Cut,
    /// Everything comes so much later, each way.
    Slow(Duration),
    /// What is asked arrives; no answer does, and nobody is told that it will not.
    HalfOpen,
    /// What is asked arrives, and so much later once more: after what was asked meanwhile.
    Again(Duration),
}

/// How often an open connection looks at the weather.
const LOOK: Duration = Duration::from_millis(20);
const CHUNK: usize = 256 * 1024;

type Target = dyn Fn() -> Option<SocketAddr> + Send + Sync;

struct Shared {
    weather: Mutex<Weather>,
    target: Box<Target>,
    /// What came again.
    repeated: AtomicU64,
}

/// Listens until the process ends.
#[derive(Clone)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Proxy {
    /// `target` is asked for each connection: it may not be known yet.
    pub fn open(target: impl Fn() -> Option<SocketAddr> + Send + Sync + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let weather = Mutex::new(Weather::Clear);
        let shared = Arc::new(Shared { weather, target: Box::new(target), repeated: AtomicU64::new(0) });
        let accepting = shared.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = accepting.clone();
                // A connection that breaks is what it is for.
                std::thread::spawn(move || drop(carry(client, &shared)));
            }
        });
        Ok(Self { address, shared })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn set(&self, weather: Weather) {
        *self.shared.weather.lock().unwrap_or_else(PoisonError::into_inner) = weather;
    }

    pub fn repeated(&self) -> u64 {
        self.shared.repeated.load(Ordering::SeqCst)
    }
}

impl Shared {
    fn weather(&self) -> Weather {
        *self.weather.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn carry(client: TcpStream, shared: &Arc<Shared>) -> io::Result<()> {
    if shared.weather() == Weather::Cut {
        return client.shutdown(Shutdown::Both);
    }
    let target = (shared.target)().ok_or(io::ErrorKind::NotConnected)?;
    let server = TcpStream::connect_timeout(&target, Duration::from_secs(2))?;
    for stream in [&client, &server] {
        stream.set_read_timeout(Some(LOOK))?;
        stream.set_nodelay(true)?;
    }
    let (answers, asker) = (server.try_clone()?, client.try_clone()?);
    let back = shared.clone();
    std::thread::spawn(move || drop(answer(answers, asker, &back)));
    ask(client, server, shared, target)
}

/// From the client to the server.
fn ask(
    mut client: TcpStream,
    mut server: TcpStream,
    shared: &Arc<Shared>,
    target: SocketAddr,
) -> io::Result<()> {
    pump(&mut client.try_clone()?, shared, |bytes, weather| {
        server.write_all(bytes)?;
        if let Weather::Again(later) = weather {
            repeat(bytes.to_vec(), later, target, shared.clone());
        }
        Ok(())
    })
    .and_then(|()| {
        client.flush()?;
        server.shutdown(Shutdown::Both)?;
        client.shutdown(Shutdown::Both)
    })
}

/// From the server to the client.
fn answer(mut server: TcpStream, mut client: TcpStream, shared: &Arc<Shared>) -> io::Result<()> {
    let ended = pump(&mut server, shared, |bytes, weather| match weather {
        Weather::HalfOpen => Ok(()),
        _ => client.write_all(bytes),
    });
    server.shutdown(Shutdown::Both)?;
    client.shutdown(Shutdown::Both)?;
    ended
}

/// Until one side closes, or the weather cuts it.
fn pump(
    from: &mut TcpStream,
    shared: &Shared,
    mut to: impl FnMut(&[u8], Weather) -> io::Result<()>,
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = from.read(&mut chunk);
        let weather = shared.weather();
        if weather == Weather::Cut {
            return from.shutdown(Shutdown::Both);
        }
        match read {
            Ok(0) => return Ok(()),
            Ok(length) => {
                if let Weather::Slow(by) = weather {
                    std::thread::sleep(by);
                }
                to(chunk.get(..length).unwrap_or_default(), weather)?;
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            Err(error) => return Err(error),
        }
    }
}

/// The same bytes once more, on a connection of their own. Small requests are one chunk, and so whole.
fn repeat(bytes: Vec<u8>, later: Duration, target: SocketAddr, shared: Arc<Shared>) {
    std::thread::spawn(move || {
        std::thread::sleep(later);
        let again = || -> io::Result<()> {
            let mut server = TcpStream::connect_timeout(&target, Duration::from_secs(2))?;
            server.write_all(&bytes)?;
            server.set_read_timeout(Some(Duration::from_secs(2)))?;
            // Nobody waits for this answer.
            server.read(&mut [0; 1024]).map(drop)
        };
        if again().is_ok() {
            shared.repeated.fetch_add(1, Ordering::SeqCst);
        }
    });
}
