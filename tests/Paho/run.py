#!/usr/bin/env python3
"""Runs the public interoperability tests of Eclipse Paho (github.com/eclipse/paho.mqtt.testing) against a broker.

    run.py FOLDER PORT [NAME ...]

FOLDER is the suite's folder "interoperability", PORT the broker's on 127.0.0.1, NAME a test such as test_flow_control1.
The tests' own main programs cannot be told a port; this sets what they would have set.
"""
import importlib
import logging
import sys
import unittest

# What a server may do and this one does not: it hands out no topic aliases of its own, it shares no subscriptions, it shortens no
# keep-alive unless it is told to, and it forbids no filter.
OPTIONAL = {"test_server_topic_alias", "test_shared_subscriptions", "test_server_keep_alive", "test_subscribe_failure"}


def prepare(name, port):
    module = importlib.import_module(name)
    prefix = "client_test5/" if name == "client_test5" else ""
    module.topic_prefix = prefix
    module.host, module.port = "127.0.0.1", port
    module.topics = [prefix + topic for topic in ("TopicA", "TopicA/B", "Topic/C", "TopicA/C", "/TopicA")]
    module.wildtopics = [prefix + topic for topic in ("TopicA/+", "+/C", "#", "/#", "/+", "+/+", "TopicA/#")]
    module.nosubscribe_topics = ("test/nosubscribe",)
    return module


def chosen(suite, names):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from chosen(test, names)
        elif test._testMethodName in names if names else test._testMethodName not in OPTIONAL:
            yield test


def run(tests):
    suite = unittest.TestSuite(tests)
    result = unittest.TextTestRunner(verbosity=2, stream=sys.stdout).run(suite)
    return result.testsRun, [test for test, _ in result.failures + result.errors]


def main():
    folder, port, names = sys.argv[1], int(sys.argv[2]), set(sys.argv[3:])
    sys.path.insert(0, folder)
    logging.disable(logging.CRITICAL)
    everything = []
    for name in ("client_test", "client_test5"):
        everything += chosen(unittest.defaultTestLoader.loadTestsFromModule(prepare(name, port)), names)
    count, failed = run(everything)
    if failed:
        # Some of them publish while a subscription is still on its way. What is wrong is wrong twice.
        print("again:", ", ".join(test._testMethodName for test in failed))
        _, failed = run(failed)
    print(f"{count - len(failed)} passed, {len(failed)} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
