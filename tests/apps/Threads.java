/*
 * Threads of Java in their common shapes: monitors, park, executors, files, sockets, processes.
 * The output does not depend on the scheduler. Started by run; the argument multiplies the load.
 */

import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

public class Threads {
	static final Object monitor = new Object();
	static int turn;

	static int monitors(int load) throws Exception {
		int rounds = 200 * load;
		List<Thread> threads = new ArrayList<>();
		for (int i = 0; i < 3; i++) {
			int me = i;
			threads.add(new Thread(() -> {
				for (int n = 0; n < rounds; n++) {
					synchronized (monitor) {
						while (turn % 3 != me) {
							try {
								monitor.wait();
							} catch (InterruptedException e) {
								return;
							}
						}
						turn++;
						monitor.notifyAll();
					}
				}
			}));
		}
		for (Thread t : threads) {
			t.start();
		}
		for (Thread t : threads) {
			t.join();
		}
		return turn;
	}

	static long executors(int load) throws Exception {
		ExecutorService pool = Executors.newFixedThreadPool(4);
		List<Future<Long>> futures = new ArrayList<>();
		for (int i = 0; i < 100 * load; i++) {
			long n = i;
			futures.add(pool.submit(() -> {
				LockSupport.parkNanos(100_000);
				return n * n;
			}));
		}
		long sum = 0;
		for (Future<Long> f : futures) {
			sum += f.get();
		}
		pool.shutdown();
		return sum + IntStream.range(0, 100000).parallel().sum() % 1000;
	}

	static int queues(int load) throws Exception {
		ArrayBlockingQueue<Integer> queue = new ArrayBlockingQueue<>(4);
		Thread maker = new Thread(() -> {
			try {
				for (int i = 1; i <= 500 * load; i++) {
					queue.put(i);
				}
				queue.put(0);
			} catch (InterruptedException e) {
			}
		});
		maker.start();
		int sum = 0;
		for (int n; (n = queue.take()) != 0;) {
			sum += n;
		}
		maker.join();
		return sum;
	}

	static int sockets() throws Exception {
		try (ServerSocket listener = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
			Thread server = new Thread(() -> {
				try (Socket s = listener.accept()) {
					s.getInputStream().transferTo(s.getOutputStream());
				} catch (Exception e) {
					System.out.println(e);
				}
			});
			server.start();
			try (Socket s = new Socket(listener.getInetAddress(), listener.getLocalPort())) {
				s.getOutputStream().write(new byte[50000]);
				s.shutdownOutput();
				int n = s.getInputStream().readAllBytes().length;
				server.join();
				return n;
			}
		}
	}

	static String processes() throws Exception {
		Process p = new ProcessBuilder("sh", "-c", "read word; echo $word; exit 3").start();
		p.getOutputStream().write("through\n".getBytes());
		p.getOutputStream().close();
		try (InputStream in = p.getInputStream()) {
			return new String(in.readAllBytes()).trim() + " " + p.waitFor();
		}
	}

	static int files() throws Exception {
		Path path = Files.createTempFile(Path.of("."), "java", ".txt");
		Files.writeString(path, "line\n".repeat(1000));
		int n = Files.readAllLines(path).size();
		Files.delete(path);
		return n;
	}

	public static void main(String[] args) throws Exception {
		int load = args.length > 0 ? Integer.parseInt(args[0]) : 1;
		System.out.println("monitors " + monitors(load));
		System.out.println("executors " + executors(load));
		System.out.println("queues " + queues(load));
		System.out.println("sockets " + sockets());
		System.out.println("processes " + processes());
		System.out.println("files " + files());
		System.exit(25);
	}
}
