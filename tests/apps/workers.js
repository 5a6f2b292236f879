// Node: worker threads, the thread pool of libuv (fs, crypto, zlib, dns), sockets, child processes.
// The output does not depend on the scheduler. Started by run; the argument multiplies the load.
'use strict';
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const { execFile, fork } = require('child_process');
const { promisify } = require('util');
const crypto = require('crypto');
const fs = require('fs').promises;
const http = require('http');
const path = require('path');
const zlib = require('zlib');

const load = Number(process.argv[2] || 1);

if (process.argv[2] === 'child') {
	process.on('message', (n) => { process.send(n * 2); process.disconnect(); });
} else if (isMainThread) {
	main();
} else {
	const cells = new Int32Array(workerData.shared);
	for (let i = 0; i < 1000; i++) {
		Atomics.add(cells, 0, 1);
	}
	Atomics.wait(cells, 1, 0); // until main says go
	parentPort.on('message', (n) => parentPort.postMessage(n === null ? process.exit(0) : n * n));
}

async function workers() {
	const shared = new SharedArrayBuffer(8);
	const all = Array.from({ length: 3 }, () => new Worker(__filename, { workerData: { shared } }));
	const cells = new Int32Array(shared);
	while (Atomics.load(cells, 0) < 3000) {
		await new Promise((done) => setTimeout(done, 2));
	}
	Atomics.store(cells, 1, 1);
	Atomics.notify(cells, 1);
	let sum = 0;
	await Promise.all(all.map((w, id) => new Promise((done) => {
		let left = 200 * load;
		w.on('message', (square) => {
			sum += square;
			if (--left === 0) {
				w.postMessage(null);
			} else {
				w.postMessage(left + id);
			}
		});
		w.on('exit', done);
		w.postMessage(left + id);
	})));
	return [cells[0], sum];
}

async function files() {
	const folder = await fs.mkdtemp('node-');
	const names = Array.from({ length: 40 * load }, (_, i) => path.join(folder, `file${i}`));
	await Promise.all(names.map((name, i) => fs.writeFile(name, `${i}\n`.repeat(1000))));
	const texts = await Promise.all(names.map((name) => fs.readFile(name, 'utf8')));
	await Promise.all(names.map((name) => fs.unlink(name)));
	await fs.rmdir(folder);
	return texts.reduce((sum, text) => sum + text.length, 0);
}

async function pool() {
	const hash = promisify(crypto.pbkdf2), deflate = promisify(zlib.deflate);
	const keys = await Promise.all(Array.from({ length: 8 * load }, (_, i) =>
		hash(`word${i}`, 'salt', 2000, 32, 'sha256')));
	const packed = await Promise.all(keys.map((key) => deflate(key.toString('hex').repeat(500))));
	return crypto.createHash('sha256').update(Buffer.concat([...keys, ...packed])).digest('hex');
}

async function web() {
	const server = http.createServer((request, response) => {
		setImmediate(() => response.end(request.url.repeat(50)));
	});
	await new Promise((done) => server.listen(0, '127.0.0.1', done));
	const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
	const get = (n) => new Promise((done, failed) => {
		http.get({ agent, port: server.address().port, host: '127.0.0.1', path: `/${n}` }, (r) => {
			let length = 0;
			r.on('data', (part) => { length += part.length; }).on('end', () => done(length));
		}).on('error', failed);
	});
	const lengths = await Promise.all(Array.from({ length: 200 * load }, (_, n) => get(n)));
	agent.destroy();
	server.close();
	return lengths.reduce((a, b) => a + b, 0);
}

async function children() {
	const run = promisify(execFile);
	const said = await Promise.all(['a', 'b', 'c'].map((word) => run('echo', [word])));
	const failed = await run('/no/such/program').catch((e) => e.code);
	const code = await run('sh', ['-c', 'exit 9']).catch((e) => e.code);
	const doubled = await new Promise((done) => {
		const child = fork(__filename, ['child']);
		child.on('message', done);
		child.send(21);
	});
	return [said.map((s) => s.stdout.trim()), failed, code, doubled];
}

async function main() {
	for (const part of [workers, files, pool, web, children]) {
		console.log(part.name, JSON.stringify(await part()));
	}
	process.exitCode = 24;
}
