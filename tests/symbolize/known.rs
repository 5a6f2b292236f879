// A thread that sleeps in a method of a generic type, inlined into a function. See run.py.
mod shop {
    pub struct Till<T> {
        pub sum: T,
    }

    impl<T: std::ops::AddAssign> Till<T> {
        #[inline(always)]
        fn pay(&mut self, amount: T) {
            std::thread::sleep(std::time::Duration::from_micros(1)); // in pay
            self.sum += amount;
        }
    }

    #[inline(never)]
    pub fn buy(till: &mut Till<u64>, amount: u64) {
        till.pay(amount); // in buy
        till.sum *= 3;
    }
}

fn main() {
    let sum = std::thread::spawn(|| {
        let mut till = shop::Till { sum: 0 };
        shop::buy(&mut till, 1);
        till.sum
    });
    std::process::exit((sum.join().unwrap() != 3).into());
}
