"""tf.lookup: tables of keys and values."""

from lamina.lookup import experimental as experimental
from lamina.ops.lookup import KeyValueTensorInitializer as KeyValueTensorInitializer
from lamina.ops.lookup import StaticHashTable as StaticHashTable
from lamina.ops.lookup import StaticVocabularyTable as StaticVocabularyTable
from lamina.ops.lookup import TextFileIndex as TextFileIndex
from lamina.ops.lookup import TextFileInitializer as TextFileInitializer
