"""Servers under load: event loops with workers, by threads and by processes."""

import os
import re
import signal
import subprocess
import time
import urllib.request

from app import ROOT, Server, Skip, app, demand, digest, find, free_port, without_figures


@app("memcached")
def memcached(stage):
    server, load = find("memcached", "memcaslap")
    port = free_port()
    user = ["-u", "root"] if ROOT else []
    with Server(stage, [server, "-t", "4", "-l", "127.0.0.1", "-p", port, *user], port) as server:
        sets = "".join(f"set key{i} 0 0 {len(str(i * i))}\r\n{i * i}\r\n" for i in range(300))
        gets = "get " + " ".join(f"key{i}" for i in range(0, 300, 7)) + "\r\n"
        said = [server.talk(sets + gets, "END\r\n")]
        load = stage.client(load, "-s", f"127.0.0.1:{port}", "-T", "2", "-c", "32",
                            "-t", stage.longer("3s", "30s"), "-v", "0.1")
        wrong = re.findall(r"^verify_failed: ([1-9]\d*)", load, re.M)
        demand(not wrong, f"memcaslap: {wrong} values are wrong")
        print("  " + (re.findall(r"^Run time.*", load, re.M) or ["?"])[0])
        said.append(server.talk("get key7\r\n", "END\r\n"))
        status = server.end(signal.SIGTERM)
    return [status, server.said(), *said]


def redis(stage, io_threads, requests):
    server, load, cli = find("redis-server", "redis-benchmark", "redis-cli")
    port = free_port()
    cli = [cli, "-p", port]
    with Server(stage, [server, "--port", port, "--bind", "127.0.0.1", "--save", "",
                        "--io-threads", io_threads, "--io-threads-do-reads", "yes",
                        "--daemonize", "no"], port) as server:
        load = stage.client(load, "-p", port, "-q", "-n", requests, "-c", "30",
                            "-P", "4", "-t", "set,get,lpush,lpop,mset")
        print("  " + " ".join(re.findall(r"(?:SET|GET): [\d.]+ requests per second", load)))
        said = [stage.client(*cli, "flushall")]
        for i in range(50):
            said.append(stage.client(*cli, "set", f"key{i}", f"value {i}"))
        said.append(stage.client(*cli, "mget", *[f"key{i}" for i in range(0, 50, 7)]))
        # A child process that writes the data while threads run, and work for the thread that
        # frees memory in the background.
        before = stage.client(*cli, "lastsave")
        said.append(stage.client(*cli, "bgsave"))
        while "rdb_bgsave_in_progress:1" in stage.client(*cli, "info", "persistence"):
            time.sleep(0.05)
        demand(int(stage.client(*cli, "lastsave")) >= int(before), "lastsave goes back")
        said.append(re.findall("rdb_last_bgsave_status:.*",
                               stage.client(*cli, "info", "persistence")))
        said.append(stage.client(*cli, "flushall", "async"))
        stage.client(*cli, "shutdown", "nosave")
        status = server.end()
    # Without pids, times and figures. Which of parent and child speaks first is luck.
    log = re.sub(r"^\d+:(\w) .{24} ", r"\1 ", server.said(), flags=re.M)
    return [status, *said, sorted(without_figures(log).splitlines())]


@app("redis")
def redis_alone(stage):
    return redis(stage, 1, stage.longer(20000, 400000))


@app("redis-io-threads")
def redis_io_threads(stage):
    """The threads that help spin; where there are few processors, most of the time."""
    return redis(stage, 2, stage.longer(4000, 40000))


NGINX = """
daemon off; worker_processes 2; pid nginx.pid; error_log nginx.log notice;
thread_pool readers threads=4;
events {{ worker_connections 512; }}
http {{
    access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi; sendfile on; keepalive_requests 1000000;
    server {{ listen 127.0.0.1:{port}; root .; location /big {{ aio threads=readers; sendfile off;
        directio 512; output_buffers 2 128k; }} }}
    server {{ listen 127.0.0.1:{behind}; location / {{ proxy_pass http://127.0.0.1:{port}; }} }}
}}
"""


@app("nginx")
def nginx(stage):
    """The master forks workers, who give root's rights up and read big files in threads."""
    server, wrk = find("nginx", "wrk")
    port, behind = free_port(), free_port()
    (stage.folder / "nginx.conf").write_text(NGINX.format(port=port, behind=behind))
    (stage.folder / "index.html").write_text("small\n" * 40)
    (stage.folder / "big").write_bytes(bytes(range(256)) * 4096)
    seconds = stage.longer(1, 10)

    def get(number, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{number}/{path}", timeout=120) as answer:
            return answer.status, len(answer.read()), answer.headers["Content-Type"]

    with Server(stage, [server, "-p", stage.folder, "-e", "nginx.log", "-c", "nginx.conf"],
                port) as server:
        said = [get(port, ""), get(behind, ""), get(port, "big"), get(behind, "big")]
        rates = []
        for number, path in ((port, "index.html"), (behind, "index.html"), (port, "big")):
            load = stage.client(wrk, "-t", "2", "-c", "32", "-d", f"{seconds}s", "--timeout", "60s",
                                f"http://127.0.0.1:{number}/{path}")
            demand("Socket errors" not in load and "Non-2xx" not in load, load)
            rates += re.findall(r"Requests/sec: +([\d.]+)", load)
        print("  requests a second: " + " ".join(rates))
        # New workers; the old ones finish what they have and go.
        os.kill(server.process.pid, signal.SIGHUP)
        time.sleep(0.3)
        said += [get(port, ""), get(behind, "big")]
        status = server.end(signal.SIGQUIT)
    log = (stage.folder / "nginx.log").read_text()
    # Which worker speaks when is the scheduler's business; errors and signals are not.
    grave = sorted(set(without_figures(line[20:]) for line in log.splitlines()
                       if re.search(r"\[(warn|error|crit|alert|emerg)\]|exited", line)))
    return [status, server.said(), *said, grave]


def postgres_tools():
    folders = sorted((p for p in os.scandir("/usr/lib/postgresql") if p.is_dir()),
                     key=lambda p: p.name) if os.path.isdir("/usr/lib/postgresql") else []
    if not folders:
        raise Skip("postgresql is not installed")
    return f"{folders[-1].path}/bin"


@app("postgres")
def postgres(stage):
    """A process for each connection, by fork, without exec; parallel workers; pgbench's threads."""
    tools = postgres_tools()
    port = free_port()
    # It refuses to be root; the package has a user for it, and anybody does.
    user = {"user": "nobody", "group": "nogroup", "extra_groups": []} if ROOT else {}
    if ROOT:
        os.chown(stage.folder, 65534, 65534)
    data = stage.folder / "data"
    stage.client(f"{tools}/initdb", "-D", data, "-N", "-U", "boss", "-A", "trust", "-E", "UTF8",
                 "--locale=C", **user)
    sql = [f"{tools}/psql", "-h", "127.0.0.1", "-p", port, "-U", "boss", "-X", "-q", "-A", "-t",
           "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-c"]
    bench = [f"{tools}/pgbench", "-h", "127.0.0.1", "-p", port, "-U", "boss"]
    with Server(stage, [f"{tools}/postgres", "-D", data, "-p", port, "-c",
                        "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={data}",
                        "-c", "fsync=on", "-c", "max_parallel_workers_per_gather=3",
                        "-c", "min_parallel_table_scan_size=0", "-c", "parallel_setup_cost=0",
                        "-c", "log_line_prefix=", "-c", "autovacuum=off"], port, **user) as server:
        while subprocess.run([f"{tools}/pg_isready", "-q", "-h", "127.0.0.1", "-p",
                              str(port), "-U", "boss", "-d", "postgres"], env=stage.clean).returncode:
            time.sleep(0.05)
        stage.client(*bench, "-i", "-s", "1", "-q", "postgres")
        many = stage.longer(60, 1000)
        load = stage.well(*bench, "-c", "8", "-j", "4", "-t", many, "-P", "1", "postgres", **user)
        print("  " + " ".join(re.findall(r"^tps = [\d.]+", load[1], re.M)))
        done = re.findall(r"actually processed: .*|failed transactions: .*", load[1])
        said = [done,
                stage.client(*sql, "select count(*) from pgbench_history"),
                stage.client(*sql, """select (select sum(abalance) from pgbench_accounts) =
                    (select sum(delta) from pgbench_history)"""),
                stage.client(*sql, """select sum(a.aid % 7) from pgbench_accounts a
                    join pgbench_accounts b on a.aid = b.aid"""),
                stage.client(*sql, "vacuum (parallel 2) pgbench_accounts", "-c", "checkpoint")]
        # A backend that waits for a lock and gives up.
        said.append(stage.client(*sql, """set lock_timeout = '100ms'; do $$ begin
            perform pg_sleep(0.05); execute 'lock table pgbench_tellers';
            exception when lock_not_available then raise notice 'busy'; end $$"""))
        status = server.end(signal.SIGINT)
    # A process of the last client's may be on its way out still, and has that said to it.
    usual = r"checkpoint|listening on|redo|starting|was shut down|due to administrator"
    log = [line for line in server.said().splitlines() if not re.search(usual, line)]
    return [status, *said, sorted(without_figures("\n".join(log)).splitlines())]


HAPROXY = """
global
    nbthread 4
defaults
    mode http
    timeout connect 10s
    timeout client 10s
    timeout server 10s
frontend there
    bind 127.0.0.1:{port}
    http-request return status 200 content-type text/plain string "at once" if {{ path /at-once }}
    default_backend behind
backend behind
    server one 127.0.0.1:{behind}
listen itself
    bind 127.0.0.1:{behind}
    http-request return status 200 content-type text/plain string "from behind"
"""


@app("haproxy")
def haproxy(stage):
    """An event loop in each of four threads, which share queues and wake each other."""
    server, wrk = find("haproxy", "wrk")
    port, behind = free_port(), free_port()
    (stage.folder / "haproxy.cfg").write_text(HAPROXY.format(port=port, behind=behind))
    with Server(stage, [server, "-db", "-f", "haproxy.cfg"], port) as server:
        said, rates = [], []
        for path in ("at-once", "other"):
            url = f"http://127.0.0.1:{port}/{path}"
            load = stage.client(wrk, "-t", "2", "-c", "32", "-d", stage.longer("1s", "10s"),
                                "--timeout", "60s", url)
            demand("Socket errors" not in load and "Non-2xx" not in load, load)
            rates += re.findall(r"Requests/sec: +([\d.]+)", load)
            with urllib.request.urlopen(url, timeout=60) as answer:
                said.append((answer.status, answer.read()))
        print("  requests a second: " + " ".join(rates))
        status = server.end(signal.SIGUSR1)
    return [status, *said, [without_figures(line) for line in server.said().splitlines()
                            if "[NOTICE]" not in line]]


@app("mariadb")
def mariadb(stage):
    """A pool of threads for its clients, and InnoDB's own locks and background threads."""
    server, install, client = find("mariadbd", "mariadb-install-db", "mariadb")
    port, data = free_port(), stage.folder / "data"
    data.mkdir(mode=0o777)
    data.chmod(0o777)
    user = ["--user=nobody"] if ROOT else []
    stage.client(install, "--no-defaults", f"--datadir={data}", "--skip-test-db",
                 "--auth-root-authentication-method=normal", *user)
    command = [client, "--no-defaults", "-h", "127.0.0.1", "-P", port, "-u", "root", "-N", "-B"]
    rows = stage.longer(200, 3000)

    def sql(text):
        return stage.client(*command, "-e", text)

    with Server(stage, [server, "--no-defaults", f"--datadir={data}", f"--port={port}",
                        "--bind-address=127.0.0.1", f"--socket={data}/socket",
                        "--thread-handling=pool-of-threads", *user], port) as server:
        sql("create database d; create table d.t (id int primary key auto_increment, v int);"
            f"insert into d.t (v) values {','.join(['(0)'] * 7)}")
        # They all want the first rows.
        work = "".join(f"insert into d.t (v) values ({i}); select sum(v) from d.t;"
                       f"update d.t set v = v + 1 where id = {i % 7 + 1};" for i in range(rows))
        clients = [subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, text=True,
                                    stdout=subprocess.DEVNULL, env=stage.clean) for _ in range(4)]
        for one in clients:
            one.stdin.write(work)
            one.stdin.close()
        demand([one.wait(120) for one in clients] == [0] * 4, "a client fails")
        said = [sql("select count(*), sum(v) from d.t"), sql("check table d.t")]
        status = server.end(signal.SIGTERM)
    grave = [without_figures(line[20:]) for line in server.said().splitlines()
             if "[ERROR]" in line or "signal" in line]
    return [status, *said, grave]
