// The first judge: Go's own trace reader and its stricter validator, as a program.
//
// It decides what is a valid trace; gtrace verify, written from the rules alone, is the second
// judge, and tests/judge asks both. Built by build.sh, which lets it import internal/trace.
//
//	main.go      the command line and the exit status
//	cut.go       where generations begin and end in a file, from batch headers alone
//	read.go      one pass of reader and validator; the verdict on a file
//	each.go      --each: every generation alone, and suffixes
//	live.go      --live: every live goroutine is listed in every generation
//	stats.go     --stats: who ran, who waited for what, who woke whom
//	text.go      --text: events, one a line, for people
//	list.go      --list: events with everything, to compare with gtrace's reader
//	bare.go      --bare: Go's reader alone, to be timed
//	pages.go     --pages: what go tool trace serves
//	selftest.go  --selftest: the verdicts on files whose verdict is known
package main

import (
	"flag"
	"fmt"
	"os"
)

// Exit statuses. When files differ, the worst: rejected, then truncated.
const (
	exitOK        = 0
	exitRejected  = 1
	exitUsage     = 2
	exitTruncated = 3
)

const usage = `usage: oracle [--each] [--live] [--allow-truncated] [--full] FILE...
       oracle --stats | --text | --pages [--allow-truncated] FILE
       oracle --list | --sum | --bare FILE
       oracle --selftest

Reads traces with Go's own internal/trace and the validator of its tests.

  --each             also read every generation alone, and some suffixes of the file
  --live             also demand that every generation lists every live goroutine
  --allow-truncated  a file whose last generation is unfinished is no failure
  --full             do not shorten long messages of Go's reader
  --stats            JSON: times by goroutine and state, blocks with stacks, who woke whom
  --text             events, one a line
  --list             events with all their fields, as gtrace's reader is compared by
  --sum              the last line of that
  --bare             read the events and count them, nothing else
  --pages            what every page of go tool trace answers
  --selftest         judge files whose verdict is known

exit status: 0 accepted, 1 rejected, 2 usage or file not readable, 3 truncated
`

// options are the flags that change how a file is judged.
type options struct {
	each, live, allowTruncated, full bool
}

func main() {
	var opt options
	var stats, text, list, sum, bare, pages, selftest bool
	flag.BoolVar(&opt.each, "each", false, "")
	flag.BoolVar(&opt.live, "live", false, "")
	flag.BoolVar(&opt.allowTruncated, "allow-truncated", false, "")
	flag.BoolVar(&opt.full, "full", false, "")
	flag.BoolVar(&stats, "stats", false, "")
	flag.BoolVar(&text, "text", false, "")
	flag.BoolVar(&list, "list", false, "")
	flag.BoolVar(&sum, "sum", false, "")
	flag.BoolVar(&bare, "bare", false, "")
	flag.BoolVar(&pages, "pages", false, "")
	flag.BoolVar(&selftest, "selftest", false, "")
	flag.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	flag.Parse()

	var outputs int
	for _, set := range []bool{stats, text, list, sum, bare, pages, selftest} {
		if set {
			outputs++
		}
	}
	files := flag.Args()
	switch {
	case outputs > 1:
		fail("--stats, --text, --list, --sum, --pages and --selftest exclude each other")
	case outputs == 1 && (opt.each || opt.live):
		fail("--each and --live judge; they go with nothing that prints, nor with --selftest")
	case selftest && len(files) != 0:
		fail("--selftest takes no file")
	case selftest:
		os.Exit(runSelftest())
	case len(files) == 0:
		fail("no file given")
	case outputs == 1 && len(files) != 1:
		fail("--stats, --text, --list, --sum and --pages take one file")
	case stats:
		os.Exit(runStats(files[0], opt))
	case text:
		os.Exit(runText(files[0], opt))
	case list, sum:
		os.Exit(runList(files[0], sum))
	case bare:
		os.Exit(runBare(files[0]))
	case pages:
		os.Exit(runPages(files[0], opt))
	}
	os.Exit(runJudge(files, opt))
}

func fail(message string) {
	fmt.Fprintf(os.Stderr, "oracle: %s\n%s", message, usage)
	os.Exit(exitUsage)
}

// load reads a file whole or ends the program.
func load(name string) []byte {
	data, err := os.ReadFile(name)
	if err != nil {
		fmt.Fprintf(os.Stderr, "oracle: %v\n", err)
		os.Exit(exitUsage)
	}
	return data
}

func runJudge(files []string, opt options) int {
	worst := exitOK
	for _, name := range files {
		v := judge(load(name), opt)
		fmt.Printf("%s: %s\n", name, v.line(opt))
		switch code := v.code(opt); {
		case code == exitRejected:
			worst = exitRejected
		case code == exitTruncated && worst == exitOK:
			worst = exitTruncated
		}
	}
	return worst
}
