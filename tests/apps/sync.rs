//! Everything of Rust's standard library by which threads wait for each other, many times.
//!
//! Standard output does not depend on the scheduler. Standard error has one line, "slept S queued
//! Q": for how long all threads together slept, and stood ready for a processor, by the kernel's
//! account, in nanoseconds. Started by waits; plain rustc -O builds it.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::SeqCst};
use std::sync::{mpsc, Arc, Barrier, Condvar, Mutex, Once, RwLock};
use std::thread;
use std::time::Duration;

const THREADS: usize = 4;

#[repr(C)]
struct Timespec {
    seconds: i64,
    ns: i64,
}

extern "C" {
    fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
}

fn now(clock: i32) -> i64 {
    let mut time = Timespec { seconds: 0, ns: 0 };
    assert_eq!(unsafe { clock_gettime(clock, &mut time) }, 0);
    time.seconds * 1_000_000_000 + time.ns
}

static SLEPT: AtomicI64 = AtomicI64::new(0);
static QUEUED: AtomicI64 = AtomicI64::new(0);

/// While it lives its thread's time is measured: what it neither ran nor stood in the queue for a
/// processor, it slept.
struct Measured {
    began: [i64; 3],
}

impl Measured {
    fn times() -> [i64; 3] {
        const MONOTONIC: i32 = 1;
        const THREAD_CPUTIME_ID: i32 = 3;
        let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        let queued = stat.split(' ').nth(1).unwrap().parse().unwrap();
        [now(MONOTONIC), now(THREAD_CPUTIME_ID), queued]
    }

    fn new() -> Measured {
        Measured { began: Measured::times() }
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        let [wall, ran, queued] = Measured::times();
        let queued = queued - self.began[2];
        QUEUED.fetch_add(queued, SeqCst);
        SLEPT.fetch_add(wall - self.began[0] - (ran - self.began[1]) - queued, SeqCst);
    }
}

/// Long enough that others come to wait.
fn work(us: u64) {
    let begin = std::time::Instant::now();
    while begin.elapsed() < Duration::from_micros(us) {
        std::hint::spin_loop();
    }
}

fn mutexes() -> u64 {
    let total = Mutex::new(0u64);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let _measured = Measured::new();
                for _ in 0..150 {
                    *total.lock().unwrap() += 1;
                    let held = total.lock().unwrap();
                    work(30);
                    drop(held);
                }
            });
        }
    });
    total.into_inner().unwrap()
}

fn turns() -> Vec<usize> {
    let said = Mutex::new(Vec::new());
    let changed = Condvar::new();
    thread::scope(|scope| {
        for me in 0..THREADS {
            let (said, changed) = (&said, &changed);
            scope.spawn(move || {
                let _measured = Measured::new();
                for _ in 0..100 {
                    let mut said = changed
                        .wait_while(said.lock().unwrap(), |said| said.len() % THREADS != me)
                        .unwrap();
                    said.push(me);
                    changed.notify_all();
                }
            });
        }
    });
    said.into_inner().unwrap()
}

fn time_outs() -> u64 {
    let mutex = Mutex::new(());
    let never = Condvar::new();
    let mut n = 0;
    for _ in 0..10 {
        let (_guard, result) =
            never.wait_timeout(mutex.lock().unwrap(), Duration::from_millis(1)).unwrap();
        n += result.timed_out() as u64;
    }
    n
}

fn channels() -> u64 {
    let (numbers, received) = mpsc::sync_channel::<u64>(2);
    let (squares, squared) = mpsc::channel();
    let received = Arc::new(Mutex::new(received));
    let mut workers = Vec::new();
    for _ in 0..THREADS {
        let (received, squares) = (received.clone(), squares.clone());
        workers.push(thread::spawn(move || {
            let _measured = Measured::new();
            loop {
                let next = received.lock().unwrap().recv();
                match next {
                    Ok(n) => squares.send(n * n).unwrap(),
                    Err(_) => break,
                }
            }
        }));
    }
    drop(squares);
    let feeder = thread::spawn(move || {
        let _measured = Measured::new();
        for n in 0..400 {
            numbers.send(n).unwrap();
        }
        drop(numbers);
    });
    let sum = squared.iter().sum();
    feeder.join().unwrap();
    for worker in workers {
        worker.join().unwrap();
    }
    sum
}

fn parking() -> u64 {
    let flags: Arc<Vec<AtomicBool>> = Arc::new((0..2).map(|_| AtomicBool::new(false)).collect());
    let main = thread::current();
    let mine = flags.clone();
    let other = thread::spawn(move || {
        let _measured = Measured::new();
        for _ in 0..300 {
            while !mine[0].swap(false, SeqCst) {
                thread::park();
            }
            mine[1].store(true, SeqCst);
            main.unpark();
        }
    });
    let mut n = 0;
    for _ in 0..300 {
        flags[0].store(true, SeqCst);
        other.thread().unpark();
        while !flags[1].swap(false, SeqCst) {
            thread::park();
        }
        n += 1;
    }
    other.join().unwrap();
    n
}

fn barriers() -> u64 {
    let barrier = Barrier::new(THREADS);
    let leaders = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let _measured = Measured::new();
                for _ in 0..100 {
                    leaders.fetch_add(barrier.wait().is_leader() as u64, SeqCst);
                }
            });
        }
    });
    leaders.into_inner()
}

fn readers_and_writers() -> u64 {
    let lock = RwLock::new(0u64);
    thread::scope(|scope| {
        for me in 0..THREADS {
            let lock = &lock;
            scope.spawn(move || {
                let _measured = Measured::new();
                for i in 0..100 {
                    if (i + me) % 3 == 0 {
                        let mut value = lock.write().unwrap();
                        work(20);
                        *value += 1;
                    } else {
                        let value = lock.read().unwrap();
                        work(10);
                        assert!(*value <= 400);
                    }
                }
            });
        }
    });
    lock.into_inner().unwrap()
}

fn onces() -> u64 {
    let mut calls = 0;
    for _ in 0..20 {
        let n = AtomicU64::new(0);
        let once = [Once::new(), Once::new()];
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    let _measured = Measured::new();
                    for one in &once {
                        one.call_once(|| {
                            work(300);
                            n.fetch_add(1, SeqCst);
                        });
                    }
                });
            }
        });
        calls += n.into_inner();
    }
    calls
}

fn panics() -> u64 {
    std::panic::set_hook(Box::new(|_| ()));
    let mutex = Arc::new(Mutex::new(0));
    let poisoner = mutex.clone();
    let thread = thread::Builder::new().name("poisoner".to_string());
    let result = thread.spawn(move || {
        let _measured = Measured::new();
        let _guard = poisoner.lock().unwrap();
        panic!("on purpose");
    });
    (result.unwrap().join().is_err() && mutex.is_poisoned()) as u64
}

fn main() {
    let measured = Measured::new();
    println!("mutexes {}", mutexes());
    println!("turns {}", turns().iter().enumerate().all(|(i, &who)| i % THREADS == who));
    println!("time-outs {}", time_outs());
    println!("channels {}", channels());
    println!("parking {}", parking());
    println!("barriers {}", barriers());
    println!("readers and writers {}", readers_and_writers());
    println!("onces {}", onces());
    println!("panics {}", panics());
    drop(measured);
    eprintln!("slept {} queued {}", SLEPT.load(SeqCst), QUEUED.load(SeqCst));
    std::process::exit(23);
}
