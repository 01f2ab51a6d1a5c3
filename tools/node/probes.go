package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// How long a container that is not ready yet waits for the next look, at first; it doubles up to the probe's period.
const firstLook = 20 * time.Millisecond

// probe starts the probes of a run: the startup probe alone, then the other two.
func (w *worker) probe(c *container, current *containerRun) {
	spec := c.spec
	if spec.StartupProbe == nil && spec.ReadinessProbe == nil && spec.LivenessProbe == nil {
		return
	}
	go func() {
		if spec.StartupProbe != nil {
			if !w.waitForStartup(c, current) {
				return
			}
			w.mu.Lock()
			c.started, c.ready = c.run == current, c.run == current && spec.ReadinessProbe == nil
			w.mu.Unlock()
			w.changed()
		}
		if spec.ReadinessProbe != nil {
			go w.keepReady(c, current)
		}
		if spec.LivenessProbe != nil {
			w.keepAlive(c, current)
		}
	}()
}

func seconds(number, instead int32) time.Duration {
	if number == 0 {
		number = instead
	}
	return time.Duration(number) * time.Second
}

func wait(ctx context.Context, pause time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(pause):
		return true
	}
}

func (w *worker) waitForStartup(c *container, current *containerRun) bool {
	probe, failures := c.spec.StartupProbe, int32(0)
	if !wait(current.ctx, seconds(probe.InitialDelaySeconds, 0)) {
		return false
	}
	for {
		err := w.look(c, current, probe)
		if err == nil {
			return true
		}
		failures++
		w.event(v1.EventTypeWarning, "Unhealthy", "Startup probe failed: %s", err)
		if failures >= max(1, probe.FailureThreshold) {
			w.kill(c, current, "failed startup probe")
			return false
		}
		if !wait(current.ctx, seconds(probe.PeriodSeconds, 10)) {
			return false
		}
	}
}

func (w *worker) keepReady(c *container, current *containerRun) {
	probe, period := c.spec.ReadinessProbe, seconds(c.spec.ReadinessProbe.PeriodSeconds, 10)
	if !wait(current.ctx, seconds(probe.InitialDelaySeconds, 0)) {
		return
	}
	successes, failures, pause := int32(0), int32(0), min(firstLook, period)
	for {
		err := w.look(c, current, probe)
		if current.ctx.Err() != nil {
			return
		}
		if err == nil {
			successes, failures = successes+1, 0
		} else {
			successes, failures = 0, failures+1
		}
		w.mu.Lock()
		was := c.ready
		if c.run == current && successes >= max(1, probe.SuccessThreshold) {
			c.ready, pause = true, period
		} else if failures >= max(1, probe.FailureThreshold) {
			c.ready = false
		}
		now := c.ready
		w.mu.Unlock()
		if was != now {
			w.changed()
		}
		if err != nil && pause >= period {
			w.event(v1.EventTypeWarning, "Unhealthy", "Readiness probe failed: %s", err)
		}
		if !wait(current.ctx, pause) {
			return
		}
		pause = min(pause*2, period)
	}
}

func (w *worker) keepAlive(c *container, current *containerRun) {
	probe, failures := c.spec.LivenessProbe, int32(0)
	if !wait(current.ctx, seconds(probe.InitialDelaySeconds, 0)) {
		return
	}
	for {
		if err := w.look(c, current, probe); err == nil {
			failures = 0
		} else if current.ctx.Err() == nil {
			failures++
			w.event(v1.EventTypeWarning, "Unhealthy", "Liveness probe failed: %s", err)
		}
		if failures >= max(1, probe.FailureThreshold) {
			w.kill(c, current, "failed liveness probe")
			return
		}
		if !wait(current.ctx, seconds(probe.PeriodSeconds, 10)) {
			return
		}
	}
}

func (w *worker) kill(c *container, current *containerRun, why string) {
	w.event(v1.EventTypeNormal, "Killing", "Container %s %s, will be restarted", c.spec.Name, why)
	current.cancel(killed)
}

// look asks a probe once. Of a container that is not played nothing can be asked, so it passes.
func (w *worker) look(c *container, current *containerRun, probe *v1.Probe) error {
	ctx, cancel := context.WithTimeout(current.ctx, seconds(probe.TimeoutSeconds, 1))
	defer cancel()
	switch {
	case !current.plays:
		return nil
	case probe.Exec != nil:
		var said bytes.Buffer
		out := ours(&boundedWriter{&said, 10 << 10})
		if code := current.machine.Run(ctx, probe.Exec.Command, streams{nil, out, out}); code != 0 {
			return fmt.Errorf("exit code %d %s", code, strings.TrimSpace(said.String()))
		}
		return nil
	case probe.TCPSocket != nil:
		port, err := portOf(c.spec, probe.TCPSocket.Port)
		if err != nil {
			return err
		}
		host := w.ip
		if probe.TCPSocket.Host != "" {
			host = probe.TCPSocket.Host
		}
		conn, err := w.kubelet.network.Dial(ctx, host, port)
		if err != nil {
			return fmt.Errorf("dial tcp %s: connect: connection refused", address(host, port))
		}
		return conn.Close()
	}
	return errors.New("a probe is played on `local` if it is an exec or a tcpSocket")
}

func portOf(c *v1.Container, port intstr.IntOrString) (int, error) {
	if port.Type == intstr.Int {
		return port.IntValue(), nil
	}
	for _, each := range c.Ports {
		if each.Name == port.StrVal {
			return int(each.ContainerPort), nil
		}
	}
	return 0, fmt.Errorf("the container has no port %q", port.StrVal)
}
