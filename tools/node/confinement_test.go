package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const treasure = "what-is-outside"

// Each row tries to read, find or change something of this machine from inside a container. OUT is a folder beside the
// cloud's, with a file `secret` in it; PROGRAM is a program of this machine.
var attacks = []struct{ what, script string }{
	{"an absolute path", `cat OUT/secret`},
	{"a relative path", `cat ../../../../../../OUT/secret`},
	{"dots from a mount", `cat /data/../../../../../OUT/secret`},
	{"dots from a working folder", `cd /data; cat ../../../../OUT/secret`},
	{"dots behind a folder that is there", `mkdir /tmp/a; cat /tmp/a/../../../../../OUT/secret`},
	{"a link to an absolute path", `ln -s OUT /tmp/l; cat /tmp/l/secret`},
	{"a link to a file", `ln -s OUT/secret /data/l; cat /data/l`},
	{"a link with dots", `ln -s ../../../../../../../../OUT /data/l; cat /data/l/secret`},
	{"a link over a link", `ln -s OUT /tmp/a; ln -s /tmp/a/secret /tmp/b; cat /tmp/b`},
	{"a link that was planted from outside", `cat /data/planted/secret`},
	{"a list through a planted link", `ls /data/planted/`},
	{"a planted relative link", `cat /data/climbing/secret`},
	{"a redirection in", `cat < OUT/secret`},
	{"a redirection out", `echo harm > OUT/secret`},
	{"a redirection that appends", `echo harm >> /data/planted/secret`},
	{"a redirection of both", `echo harm &> /data/planted/secret`},
	{"the shortcut of cat", `echo $(<OUT/secret)`},
	{"the shortcut through a link", `echo $(</data/planted/secret)`},
	{"a glob", `echo OUT/*`},
	{"a glob through a planted link", `echo /data/planted/*`},
	{"a glob with dots", `echo /data/../../../OUT/s*`},
	{"source", `. OUT/script`},
	{"source by PATH", `PATH=OUT; . script`},
	{"source through a link", `. /data/planted/script`},
	{"sh with a file", `sh OUT/script`},
	{"a script by its path", `OUT/script`},
	{"a program", `PROGRAM`},
	{"a program by exec", `exec PROGRAM`},
	{"a program by command", `command PROGRAM`},
	{"a program by env", `env PROGRAM`},
	{"a program by PATH", `PATH=PROGRAMS program`},
	{"a program by a link", `ln -s PROGRAM /bin/program; program; /bin/program`},
	{"a program in a substitution", `echo $(PROGRAM)`},
	{"a program in the background", `PROGRAM & wait`},
	{"a program in a pipe", `echo | PROGRAM | cat`},
	{"a program in a trap", `trap PROGRAM EXIT`},
	{"a program in eval", `eval PROGRAM`},
	{"test of a file", `[ -e OUT/secret ] && echo what-is-outside`},
	{"test with two brackets", `[[ -f OUT/secret ]] && echo what-is-outside`},
	{"test through a link", `[ -s /data/planted/secret ] && echo what-is-outside`},
	{"test for execution", `[ -x PROGRAM ] && echo what-is-outside`},
	{"test for its owner", `[ -O OUT/secret ] && echo what-is-outside`},
	{"test for the newer", `[ OUT/secret -nt /etc/hostname ] && echo what-is-outside`},
	{"type", `type PROGRAM && echo what-is-outside`},
	{"builtin type", `builtin type PROGRAM && echo what-is-outside`},
	{"type -p", `PATH=PROGRAMS; type -p program && echo what-is-outside`},
	{"builtin builtin type", `builtin builtin type PROGRAM && echo what-is-outside`},
	{"command builtin type", `command builtin type PROGRAM && echo what-is-outside`},
	{"command -v", `command -v PROGRAM && echo what-is-outside`},
	{"builtin command -v", `builtin command -v PROGRAM && echo what-is-outside`},
	{"command command -v", `command command -v PROGRAM && echo what-is-outside`},
	{"hash", `hash PROGRAM; which PROGRAM && echo what-is-outside`},
	{"cd", `cd OUT && echo what-is-outside`},
	{"cd through a link", `cd /data/planted && cat secret`},
	{"pushd", `pushd OUT && cat secret`},
	{"pwd -P", `ln -s OUT /tmp/x; cd /tmp; pwd -P; PWD=OUT; pwd -P | grep OUT && echo what-is-outside`},
	{"a variable of this machine", `echo $LAB_TEST_SECRET`},
	{"all variables", `env; export; set; declare -p LAB_TEST_SECRET`},
	{"an indirect variable", `x=LAB_TEST_SECRET; echo ${!x}`},
	{"a named reference", `declare -n x=LAB_TEST_SECRET; echo $x`},
	{"the home of a user", `echo ~daemon | grep -v -F '~daemon' && echo what-is-outside; ls ~daemon/; x=~daemon; eval "y=~daemon"; echo $x$y | grep bin && echo what-is-outside`},
	{"/proc", `cat /proc/self/environ /proc/self/cmdline`},
	{"/proc by a planted link", `cat /data/proc/self/environ`},
	{"/proc/self/root", `cat /proc/self/root/OUT/secret`},
	{"/proc/self/cwd", `cat /proc/self/cwd/*`},
	{"/dev/fd", `cat /dev/fd/3 /dev/fd/4 /dev/fd/5 /dev/fd/6 /dev/fd/7`},
	{"a descriptor", `cat <&3; cat <&5`},
	{"the terminal", `echo harm > /dev/tty`},
	{"a port of this machine", `exec 3<>/dev/tcp/127.0.0.1/22; cat < /dev/tcp/127.0.0.1/22`},
	{"process substitution in", `cat <(cat OUT/secret)`},
	{"process substitution out", `echo harm > >(cat > OUT/secret)`},
	{"process substitution in eval", `eval 'cat <(echo x)'; ls OUT`},
	{"what looks like a FIFO of the interpreter", `echo harm > TEMP/sh-interp-x; ls TEMP`},
	{"a FIFO with another TMPDIR", `export TMPDIR=OUT; echo harm > OUT/sh-interp-x; sh -c 'echo harm > OUT/sh-interp-x'`},
	{"dd of a new file", `dd if=/dev/zero of=OUT/made count=1`},
	{"mkdir", `mkdir OUT/made; mkdir -p /data/planted/made`},
	{"touch", `touch OUT/made /data/planted/made`},
	{"rm", `rm -rf OUT /data/planted/secret /data/planted/`},
	{"rm of a link's target", `rm -rf /data/planted/*`},
	{"mv out", `echo harm > /tmp/f; mv /tmp/f OUT/secret; mv /tmp/f /data/planted/secret`},
	{"mv in", `mv OUT/secret /tmp/got; cat /tmp/got`},
	{"mv over the parent", `mv /data/../../../OUT/secret /tmp/got; cat /tmp/got`},
	{"cp in", `cp OUT/secret /tmp/got; cat /tmp/got`},
	{"cp -r through a link", `cp -r /data/planted/ /tmp/got; cat /tmp/got/secret`},
	{"cp out", `echo harm > /tmp/f; cp /tmp/f OUT/secret; cp /tmp/f /data/planted/secret`},
	{"ln -s over a file", `ln -sf /tmp OUT/secret; ln -sf /tmp /data/planted/secret`},
	{"tee", `echo harm | tee OUT/secret /data/planted/secret`},
	{"dd in", `dd if=OUT/secret; dd if=/data/planted/secret`},
	{"dd out", `echo harm | dd of=OUT/secret; echo harm | dd of=/data/planted/secret`},
	{"chmod", `chmod 000 OUT/secret; chmod 000 /data/planted/secret; chmod -R 000 /data/planted`},
	{"grep -r", `grep outside OUT/secret /data/planted/secret`},
	{"head, tail and wc", `head OUT/secret; tail /data/planted/secret; wc OUT/secret; cat OUT/secret | tail`},
	{"sha256sum", `sha256sum OUT/secret | grep -v sha256sum: && echo what-is-outside`},
	{"readlink", `readlink -f /data/planted/secret | grep secret && cat $(readlink -f /data/planted/secret)`},
	{"df", `df OUT && echo what-is-outside`},
	{"history and fc", `history; fc -l`},
	{"an option of the shell", `sh -o OUT/secret; set -o OUT/secret`},
	{"a here-document", "cat <<EOF\n$(cat OUT/secret)\nEOF"},
	{"a name with a line's end", "cat $'OUT/secret\\n'"},
	{"a name with a null byte", `cat $'OUT/secret\0/x'`},
	{"a long way up", `cat ` + strings.Repeat("../", 200) + `OUT/secret`},
	{"a folder that becomes a link", `mkdir /tmp/d; cd /tmp/d; rmdir /tmp/d; ln -s OUT /tmp/d; cat secret`},
	{"a mount point that becomes a link", `rm -rf /data; ln -s OUT /data; cat /data/secret`},
	{"a rename of a mount point", `mv /data /old; ln -s OUT /data; cat /data/secret`},
	{"mount", `mount OUT /tmp; mount --bind OUT /tmp; cat /tmp/secret`},
	{"kill of a process of this machine", `kill -9 PID; kill PID; kill -- -PID; kill -1`},
}

func TestNothingLeadsOutOfAContainer(t *testing.T) {
	t.Setenv("LAB_TEST_SECRET", treasure)
	for _, each := range attacks {
		t.Run(each.what, func(t *testing.T) {
			m, top := box(t)
			out := t.TempDir()
			write := func(name, text string, mode os.FileMode) string {
				full := filepath.Join(out, name)
				if err := os.WriteFile(full, []byte(text), mode); err != nil {
					t.Fatal(err)
				}
				return full
			}
			secret := write("secret", treasure+"\n", 0o644)
			write("script", "echo "+treasure+"\n", 0o755)
			program := write("program", "#!/bin/sh\necho "+treasure+"\n", 0o755)
			up, err := filepath.Rel(filepath.Join(top, "volume"), out)
			if err != nil {
				t.Fatal(err)
			}
			for name, target := range map[string]string{"planted": out, "climbing": up, "proc": "/proc"} {
				if err := os.Symlink(target, filepath.Join(top, "volume", name)); err != nil {
					t.Fatal(err)
				}
			}
			script := strings.NewReplacer(
				"PROGRAMS", out, "PROGRAM", program, "OUT", out, "TEMP", os.TempDir(), "PID", "1234567",
			).Replace(each.script)
			said, _ := sh(t, m, script)
			if strings.Contains(said, treasure) {
				t.Errorf("it got out: %q", said)
			}
			if text, err := os.ReadFile(secret); err != nil || string(text) != treasure+"\n" {
				t.Errorf("it changed what is outside: %q, %v", text, err)
			}
			if info, err := os.Stat(secret); err != nil || info.Mode().Perm() != 0o644 {
				t.Errorf("it changed the mode outside: %v", err)
			}
			left, _ := os.ReadDir(out)
			if len(left) != 3 {
				t.Errorf("it made or removed something outside: %v", left)
			}
			if made, _ := filepath.Glob(filepath.Join(os.TempDir(), "sh-interp-*")); len(made) > 0 {
				t.Errorf("the interpreter left %v", made)
			}
		})
	}
}
