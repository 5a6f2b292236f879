package main

// --pages: the real go tool trace serves the file, and every page of it is fetched.
//
// One line a page: status, bytes, address. Then what a person reads first: the groups of
// /goroutines, and the functions of the raw /block profile through go tool pprof. A page fails
// by its status, by JSON that is none, or by what the server writes to stderr meanwhile: a
// handler that panics is caught by net/http, and some errors are only logged.

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Groups, tasks and regions beyond this many are not followed.
const maxFollowed = 8

// server is a running go tool trace.
type server struct {
	cmd     *exec.Cmd
	address string

	mu  sync.Mutex
	log []string // what it wrote to stderr
}

// goCommand is the go of the tree that this program was built from, if it still is there.
func goCommand() string {
	if path := filepath.Join(runtime.GOROOT(), "bin", "go"); exists(path) {
		return path
	}
	return "go"
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// startServer waits until the server says where it listens; it chooses a free port itself.
func startServer(file string) (*server, error) {
	s := &server{cmd: exec.Command(goCommand(), "tool", "trace", "-http=127.0.0.1:0", file)}
	// It opens a browser; this one is quick. A group, since go tool starts a child.
	s.cmd.Env = append(os.Environ(), "BROWSER=true", "GOTOOLCHAIN=local", "GOPROXY=off")
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	found := make(chan string, 1)
	go func() {
		defer close(found)
		lines := bufio.NewScanner(stderr)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			s.mu.Lock()
			s.log = append(s.log, lines.Text())
			s.mu.Unlock()
			if _, address, ok := strings.Cut(lines.Text(), "listening on "); ok {
				select {
				case found <- address:
				default:
				}
			}
		}
	}()
	select {
	case address, ok := <-found:
		if ok {
			s.address = address
			return s, nil
		}
		err = fmt.Errorf("go tool trace ends without serving: %s", strings.Join(s.log, "; "))
	case <-time.After(5 * time.Minute):
		err = fmt.Errorf("go tool trace does not serve within 5 minutes")
	}
	s.stop()
	return nil, err
}

func (s *server) stop() {
	syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
	s.cmd.Wait()
}

// bad gives the lines of the server's log that tell of a failure.
func (s *server) bad(opt options) (bad []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range s.log {
		switch {
		case strings.Contains(line, "panic"), strings.Contains(line, "failed to"):
			bad = append(bad, line)
		case strings.Contains(line, "Encountered error") && !opt.allowTruncated:
			bad = append(bad, line)
		}
	}
	return bad
}

// tour is one walk over the pages.
type tour struct {
	server *server
	failed int
	seen   map[string]bool
}

// fetch gets a page and prints its line. A page that was fetched before is empty.
func (t *tour) fetch(path string) []byte {
	if t.seen[path] {
		return nil
	}
	t.seen[path] = true
	client := http.Client{Timeout: 10 * time.Minute}
	answer, err := client.Get(t.server.address + path)
	if err != nil {
		t.fail("%s: %v", path, err)
		return nil
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	fmt.Printf("%d %10d %s\n", answer.StatusCode, len(body), path)
	switch {
	case err != nil:
		t.fail("%s: %v", path, err)
	case answer.StatusCode != http.StatusOK:
		t.fail("%s: %s", path, bytes.TrimSpace(body[:min(len(body), 500)]))
	case len(body) == 0:
		t.fail("%s: empty", path)
	case (strings.HasPrefix(path, "/jsontrace") || strings.Contains(path, "mode=")) && !json.Valid(body):
		t.fail("%s: not valid JSON", path)
	default:
		return body
	}
	return nil
}

func (t *tour) fail(format string, args ...any) {
	errorf(format, args...)
	t.failed++
}

var (
	groupRow = regexp.MustCompile(`<a href="(/goroutine\?name=[^"]*)">([^<]*)</a></code></td>\s*<td>(\d+)</td>`)
	timeline = regexp.MustCompile(`href="(/trace[^"]*)"`)
	goid     = regexp.MustCompile(`href="/trace\?(goid=\d+)"`)
	task     = regexp.MustCompile(`href="/trace\?((?:focustask|taskid)=\d+)`)
	userPage = regexp.MustCompile(`href="(/user(?:task|region)\?[^"]*)"`)
)

// links gives what a pattern finds on a page, as it would be clicked, at most maxFollowed.
func links(pattern *regexp.Regexp, page []byte) (found []string) {
	for _, match := range pattern.FindAllSubmatch(page, maxFollowed) {
		found = append(found, html.UnescapeString(string(match[1])))
	}
	return found
}

// profile fetches a raw profile and gives its functions by time, as go tool pprof prints them.
func (t *tour) profile(path string) (functions []string) {
	body := t.fetch(path)
	if body == nil {
		return nil
	}
	file, err := os.CreateTemp("", "oracle-*.pb.gz")
	if err != nil {
		t.fail("%v", err)
		return nil
	}
	defer os.Remove(file.Name())
	_, err = file.Write(body)
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		t.fail("%v", err)
		return nil
	}
	out, err := exec.Command(goCommand(), "tool", "pprof", "-symbolize=none", "-top", "-cum",
		"-nodecount=20", file.Name()).Output()
	if err != nil {
		t.fail("%s: go tool pprof: %v", path, err)
		return nil
	}
	_, table, _ := strings.Cut(string(out), "cum%\n")
	for line := range strings.Lines(table) {
		functions = append(functions, strings.TrimRight(line, "\n"))
	}
	return functions
}

func runPages(file string, opt options) int {
	v := judge(load(file), opt)
	if code := report(file, &v, opt); code != exitOK {
		return code
	}
	s, err := startServer(file)
	if err != nil {
		errorf("%s: %v", file, err)
		return exitRejected
	}
	defer s.stop()
	t := &tour{server: s, seen: make(map[string]bool)}

	t.fetch("/static/trace_viewer_full.html")
	t.fetch("/static/webcomponents.min.js")
	for _, path := range links(timeline, t.fetch("/")) {
		t.fetch(path)
		t.fetch(strings.Replace(path, "/trace", "/jsontrace", 1))
	}
	groups := groupRow.FindAllSubmatch(t.fetch("/goroutines"), -1)
	for i, group := range groups {
		if i == maxFollowed {
			break
		}
		path := html.UnescapeString(string(group[1]))
		page := t.fetch(path)
		_, query, _ := strings.Cut(path, "?")
		for _, kind := range []string{"io", "block", "syscall", "sched"} {
			t.fetch(fmt.Sprintf("/%s?%s&raw=1", kind, query))
		}
		if first := links(goid, page); len(first) > 0 {
			t.fetch("/trace?" + first[0])
			t.fetch("/jsontrace?" + first[0])
		}
	}
	for _, kind := range []string{"io", "syscall", "sched"} {
		t.profile("/" + kind + "?raw=1")
	}
	block := t.profile("/block?raw=1")
	t.fetch("/mmu")
	t.fetch("/mmu?mode=plot&flags=" + "perProc|stw|background|assist|sweep")
	t.fetch("/mmu?mode=plot&flags=stw|background|assist")
	t.fetch("/mmu?mode=details&window=1000000&flags=stw|background|assist")
	for _, list := range []string{"/usertasks", "/userregions"} {
		for _, path := range links(userPage, t.fetch(list)) {
			page := t.fetch(path)
			if first := links(task, page); len(first) > 0 {
				t.fetch("/jsontrace?" + first[0])
			}
			if query, ok := strings.CutPrefix(path, "/userregion?"); ok {
				for _, kind := range []string{"io", "block", "syscall", "sched"} {
					t.fetch(fmt.Sprintf("/region%s?%s&raw=1", kind, query))
				}
			}
		}
	}

	fmt.Println("goroutines:")
	for _, group := range groups {
		fmt.Printf("%7s %s\n", group[3], html.UnescapeString(string(group[2])))
	}
	fmt.Println("block profile, by time of function and callees:")
	for _, line := range block {
		fmt.Println(line)
	}
	for _, line := range s.bad(opt) {
		t.fail("go tool trace says: %s", line)
	}
	if len(groups) == 0 {
		t.fail("%s: /goroutines names no group", file)
	}
	if t.failed > 0 {
		return exitRejected
	}
	return exitOK
}
