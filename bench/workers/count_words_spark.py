"""Counts the words of a file with Spark SQL on two threads. It prints the seconds without Spark's own start, and how many words differ."""
import sys
import time

from pyspark.sql import SparkSession
from pyspark.sql.functions import explode, split

spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.shuffle.partitions", "8")
    .config("spark.driver.memory", "1g")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")
# The first query loads classes, which belongs to the start.
spark.range(1000).groupBy("id").count().write.format("noop").mode("overwrite").save()

began = time.time()
words = spark.read.text(sys.argv[1]).select(explode(split("value", " ")).alias("word"))
count = words.groupBy("word").count().count()
print(f"{time.time() - began:.3f} {count}")
spark.stop()
