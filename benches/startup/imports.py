import argparse, collections, dataclasses, enum, functools, json, logging, os, pathlib, re, subprocess, sys, typing
