# What Ruby does with threads: its global lock is handed over by conditions, a timer thread wakes
# the others, sleeps end by interrupts, processes come by fork and by vfork with exec.
require "timeout"

rounds = (ARGV[0] || "1").to_i

def add(from, by)
  from + by
end

rounds.times do
  jobs, done = Queue.new, Queue.new
  workers = 4.times.map do
    Thread.new { while (job = jobs.pop) != :stop do done << job * job end }
  end
  1000.times { |i| jobs << i }
  4.times { jobs << :stop }
  workers.each(&:join)
  puts 1000.times.sum { done.pop }

  lock, full, count = Mutex.new, ConditionVariable.new, 0
  waiter = Thread.new { lock.synchronize { full.wait(lock) until count == 400; count } }
  20.times.map do
    Thread.new do
      20.times do
        lock.synchronize { count = add(count, 1); full.broadcast }
        sleep 0.0002
      end
    end
  end.each(&:join)
  puts waiter.value

  begin
    Timeout.timeout(0.05) { sleep 5 }
  rescue Timeout::Error
    puts "too late"
  end
  sleeper = Thread.new { begin sleep; ensure puts "killed" end }
  Thread.pass until sleeper.status == "sleep"
  sleeper.kill.join

  p IO.popen(%w[echo from\ a\ child], &:read)
  pid = fork { Thread.new { puts "a thread of a child" }.join; $stdout.flush; exit!(3) }
  Process.wait(pid)
  p $?.exitstatus
end
exit 26
