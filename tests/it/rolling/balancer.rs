//! A load balancer as small as one can be: each connection goes to the next replica that takes it.

use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

pub struct Balancer {
    pub address: SocketAddr,
    carried: Arc<Vec<AtomicUsize>>,
}

impl Balancer {
    /// Before `replicas`, which need not be there yet. Its threads end with the process.
    pub fn before(replicas: Vec<SocketAddr>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let carried: Arc<Vec<AtomicUsize>> = Arc::new(replicas.iter().map(|_| AtomicUsize::new(0)).collect());
        let counted = Arc::clone(&carried);
        thread::spawn(move || {
            for (turn, client) in listener.incoming().enumerate() {
                let Ok(client) = client else { continue };
                let chosen = (0..replicas.len())
                    .map(|step| (turn + step) % replicas.len())
                    .find_map(|index| Some((index, connect(replicas[index])?)));
                // With no replica there, the client finds its connection closed, and tries again.
                let Some((index, server)) = chosen else { continue };
                counted[index].fetch_add(1, Ordering::Relaxed);
                carry(&client, &server);
                carry(&server, &client);
            }
        });
        Self { address, carried }
    }

    /// Connections carried to each.
    pub fn carried(&self) -> Vec<usize> {
        self.carried.iter().map(|count| count.load(Ordering::Relaxed)).collect()
    }
}

fn connect(replica: SocketAddr) -> Option<TcpStream> {
    TcpStream::connect_timeout(&replica, Duration::from_millis(500)).ok()
}

/// One direction, until either side ends.
fn carry(from: &TcpStream, to: &TcpStream) {
    let (Ok(mut from), Ok(mut to)) = (from.try_clone(), to.try_clone()) else { return };
    thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    });
}
