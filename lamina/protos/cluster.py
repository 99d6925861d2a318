"""Messages that say which machines work together; programs make and print them."""

from lamina.protos.messages import Field, Message

__all__ = ["ClusterDef", "JobDef", "ServerDef"]


class JobDef(Message):
    """A job: its name, and the address of each task.

    Fields:
        name: The job's name.
        tasks: A map of task numbers to addresses.

    Example:
        >>> tf.train.JobDef(name="worker", tasks={0: "host:2222"}).tasks[0]
        'host:2222'
    """

    name = Field(1, "string")
    tasks = Field(2, "string", key="int32")


class ClusterDef(Message):
    """A cluster: its jobs.

    Fields:
        job: A list of `tf.train.JobDef`.
    """

    job = Field(1, JobDef, repeated=True)


class ServerDef(Message):
    """A task of a cluster.

    Fields:
        cluster: The `tf.train.ClusterDef`.
        job_name: The job.
        task_index: The number of the task in the job.
        protocol: How tasks talk, as "grpc".
        port: The port that is listened on.
    """

    cluster = Field(1, ClusterDef)
    job_name = Field(2, "string")
    task_index = Field(3, "int32")
    protocol = Field(5, "string")
    port = Field(7, "int32")
