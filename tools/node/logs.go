package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// A log that has grown beyond this is put aside, and the one put aside before is deleted; as a kubelet does.
const maxLog = 10 << 20

// containerLog is what one run of a container puts out, in the lines of the CRI: time, stream, F for full, text.
type containerLog struct {
	dir     *os.Root
	name    string
	mu      sync.Mutex
	current *os.File
	size    int64
	moved   int           // how often the log was put aside
	changed chan struct{} // closed at each change
	ended   bool
}

func newLog(dir *os.Root, name string) (*containerLog, error) {
	opened, err := dir.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := opened.Stat()
	if err != nil {
		return nil, err
	}
	return &containerLog{dir: dir, name: name, current: opened, size: info.Size(), changed: make(chan struct{})}, nil
}

// Stream returns the writer for stdout or stderr. What does not end in a line's end is written at the next one.
func (l *containerLog) Stream(name string) *logStream { return &logStream{log: l, name: name} }

type logStream struct {
	log  *containerLog
	name string
	rest []byte
}

func (logStream) isOurs() {}

func (s *logStream) Write(p []byte) (int, error) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.rest = append(s.rest, p...)
	for {
		at := bytes.IndexByte(s.rest, '\n')
		if at < 0 && len(s.rest) < 16<<10 {
			break
		}
		if at < 0 {
			at = len(s.rest)
			s.rest = append(s.rest, '\n')
		}
		s.log.line(s.name, s.rest[:at])
		s.rest = append([]byte{}, s.rest[at+1:]...)
	}
	return len(p), nil
}

// line appends one line. A full disk loses lines, it does not end the container.
func (l *containerLog) line(stream string, text []byte) {
	if l.ended {
		return
	}
	if l.size > maxLog {
		_ = l.dir.Rename(l.name, l.name+".old")
		if next, err := l.dir.OpenFile(l.name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600); err == nil {
			_ = l.current.Close()
			l.current, l.size = next, 0
			l.moved++
		}
	}
	n, _ := fmt.Fprintf(l.current, "%s %s F %s\n", time.Now().UTC().Format("2006-01-02T15:04:05.000000000Z"), stream, text)
	l.size += int64(n)
	close(l.changed)
	l.changed = make(chan struct{})
}

// End writes what is left and lets the readers who follow go.
func (l *containerLog) End(streams ...*logStream) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return
	}
	for _, each := range streams {
		if len(each.rest) > 0 {
			l.line(each.name, each.rest)
			each.rest = nil
		}
	}
	l.ended = true
	close(l.changed)
	_ = l.current.Close()
}

// logQuery is what `kubectl logs` asks for.
type logQuery struct {
	follow, timestamps bool
	tail               int64 // -1 for all
	since              time.Time
	limit              int64 // in bytes, -1 for none
}

var errLimit = errors.New("the limit of bytes is reached")

// Read writes the lines that are asked for; live is the log if the container still runs.
func readLog(ctx context.Context, dir *os.Root, name string, live *containerLog, query logQuery, out io.Writer) error {
	w := &logWriter{to: out, query: query}
	var files []*os.File
	if live != nil { // which of the files is the last one does not change meanwhile
		live.mu.Lock()
		w.moved = live.moved
	}
	for _, each := range []string{name + ".old", name} {
		if opened, err := dir.Open(each); err == nil {
			defer opened.Close()
			files = append(files, opened)
		}
	}
	if live != nil {
		live.mu.Unlock()
	}
	if len(files) == 0 {
		return fmt.Errorf("there is no log %s", name)
	}
	if query.tail >= 0 {
		if err := w.skip(files); err != nil {
			return err
		}
	}
	last := files[len(files)-1]
	for _, each := range files {
		if err := w.copy(each); err != nil {
			return ended(err)
		}
	}
	for query.follow && live != nil {
		live.mu.Lock()
		changed, done, moved := live.changed, live.ended, live.moved
		live.mu.Unlock()
		if err := w.copy(last); err != nil {
			return ended(err)
		}
		if moved != w.moved {
			next, err := dir.Open(name)
			if err != nil {
				return err
			}
			defer next.Close()
			last, w.moved = next, moved
			continue
		}
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

func ended(err error) error {
	if errors.Is(err, errLimit) {
		return nil
	}
	return err
}

type logWriter struct {
	to    io.Writer
	query logQuery
	sent  int64
	moved int
	rest  []byte
}

// skip moves the files forward to the last lines of all.
func (w *logWriter) skip(files []*os.File) error {
	total := int64(0)
	for _, each := range files {
		lines := bufio.NewReader(each)
		for {
			if _, err := lines.ReadSlice('\n'); err == nil {
				total++
			} else if err == io.EOF {
				break
			} else if !errors.Is(err, bufio.ErrBufferFull) {
				return err
			}
		}
	}
	drop := max(0, total-w.query.tail)
	for _, each := range files {
		if _, err := each.Seek(0, io.SeekStart); err != nil {
			return err
		}
		lines, at := bufio.NewReader(each), int64(0)
		for drop > 0 {
			line, err := lines.ReadSlice('\n')
			at += int64(len(line))
			if err == nil {
				drop--
			} else if !errors.Is(err, bufio.ErrBufferFull) {
				break
			}
		}
		if _, err := each.Seek(at, io.SeekStart); err != nil {
			return err
		}
	}
	return nil
}

// copy sends the whole lines that a file has from here on.
func (w *logWriter) copy(from *os.File) error {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		w.rest = append(w.rest, buffer[:n]...)
		for {
			at := bytes.IndexByte(w.rest, '\n')
			if at < 0 {
				break
			}
			line := string(w.rest[:at+1])
			w.rest = append([]byte{}, w.rest[at+1:]...)
			if failed := w.send(line); failed != nil {
				return failed
			}
		}
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func (w *logWriter) send(line string) error {
	parts := strings.SplitN(line, " ", 4)
	if len(parts) < 4 {
		return nil
	}
	if !w.query.since.IsZero() {
		if at, err := time.Parse(time.RFC3339Nano, parts[0]); err == nil && at.Before(w.query.since) {
			return nil
		}
	}
	text := parts[3]
	if w.query.timestamps {
		text = parts[0] + " " + text
	}
	if w.query.limit >= 0 && w.sent+int64(len(text)) > w.query.limit {
		_, err := io.WriteString(w.to, text[:w.query.limit-w.sent])
		return errors.Join(err, errLimit)
	}
	w.sent += int64(len(text))
	_, err := io.WriteString(w.to, text)
	return err
}
