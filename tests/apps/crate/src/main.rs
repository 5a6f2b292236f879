//! A small crate for the compiler to chew on: tests/apps/languages.py builds it.

use std::collections::BTreeMap;
use std::sync::{mpsc, Arc, Mutex};
use std::thread;

mod parts;

fn main() {
    let total = Arc::new(Mutex::new(BTreeMap::new()));
    let (send, receive) = mpsc::channel();
    let threads: Vec<_> = (0..4u64)
        .map(|id| {
            let (total, send) = (Arc::clone(&total), send.clone());
            thread::spawn(move || {
                for n in 0..100 {
                    *total.lock().unwrap().entry(n % 7).or_insert(0) += parts::square(n) + id;
                    send.send(n).unwrap();
                }
            })
        })
        .collect();
    drop(send);
    let sum: u64 = receive.iter().sum();
    for t in threads {
        t.join().unwrap();
    }
    println!("{sum} {:?}", total.lock().unwrap());
    #[cfg(feature = "broken")]
    this_is_not_there();
}
